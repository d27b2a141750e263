"""docs/asyncapi.yaml itself: a valid AsyncAPI 3.0 document of valid schemas, whose examples are records that fit them.

The AsyncAPI project's JSON Schema is taken from its npm package where npm is there; without it the document's
structure is checked by the other tests alone, saying so. Needs Debian's python3-jsonschema too.
"""
import copy
import json
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import unittest

import asyncapi
import jsonschema
from from_registry import INSTALL_S

SPECS = "@asyncapi/specs@6.11.1"
SPECS_SCHEMA = "package/schemas/3.0.0-without-$id.json"
LATE = {
    "inventory.release_requested",
    "payment.captured",
    "payment.cancel_requested",
    "payment.canceled",
    "payment.refund_requested",
    "payment.refunded",
    "payment.unresolved",
    "payment.declined",
    "payment.unmatched",
    "payment.disputed",
    "command.rejected",
    "command.dead_lettered",
}
# A cart's total may be below 0 while it is edited.
NEGATIVE = {(f"event.cart.{e}", "total_minor") for e in ("line_added", "quantity_changed", "line_removed", "adjusted")}
# They name a session as it was received, which may be empty.
AS_RECEIVED = ("event.payment.unresolved", "event.payment.unmatched", "event.payment.disputed")
CACHE = pathlib.Path(__file__).resolve().parents[3] / "build" / "asyncapi-3.0.0.json"


def asyncapi_schema():
    """The AsyncAPI 3.0 JSON Schema, or None."""
    if not CACHE.exists():
        if shutil.which("npm") is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            try:
                packed = subprocess.run(["npm", "pack", "--silent", SPECS], cwd=folder, capture_output=True, timeout=INSTALL_S, check=False)
            except subprocess.TimeoutExpired:
                return None
            found = list(pathlib.Path(folder).glob("*.tgz"))
            if packed.returncode != 0 or not found:
                return None
            with tarfile.open(found[0]) as package:
                CACHE.parent.mkdir(exist_ok=True)
                CACHE.write_bytes(package.extractfile(SPECS_SCHEMA).read())
    return without_id_properties(json.loads(CACHE.read_text()))


def without_id_properties(node):
    """Debian's jsonschema takes a property that is named $id for the schema's own $id; our document has none."""
    if isinstance(node, dict):
        return {k: without_id_properties(v) for k, v in node.items() if not (k == "$id" and isinstance(v, dict))}
    return [without_id_properties(v) for v in node] if isinstance(node, list) else node


def references(node):
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(doc, reference):
    node = doc
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


class Document(unittest.TestCase):
    def setUp(self):
        self.doc = asyncapi.document()
        self.contract = asyncapi.Contract(self.doc)
        self.messages = self.doc["components"]["messages"]

    def test_it_is_an_asyncapi_document(self):
        schema = asyncapi_schema()
        if schema is None:
            self.skipTest("npm or its registry is not here: only the structure is checked")
        jsonschema.Draft7Validator(schema).validate(self.doc)
        broken = copy.deepcopy(self.doc)
        broken["operations"]["writeEvents"]["action"] = "shout"
        self.assertFalse(jsonschema.Draft7Validator(schema).is_valid(broken))

    def test_its_license_is_the_one_of_the_repository(self):
        self.assertEqual(asyncapi.document()["info"]["license"]["name"], "Apache-2.0")
        text = (asyncapi.DOCUMENT.parents[1] / "LICENSE").read_text()
        self.assertRegex(text, r"Apache License\s+Version 2\.0, January 2004\s+http://www.apache.org/licenses/")

    def test_every_reference_leads_somewhere_and_every_schema_is_used(self):
        used = set(references(self.doc))
        for reference in used:
            resolve(self.doc, reference)
        for name in self.doc["components"]["schemas"]:
            self.assertIn(f"#/components/schemas/{name}", used)
        for name in self.messages:
            self.assertIn(f"#/components/messages/{name}", used)

    def test_every_topic_has_its_name_a_key_and_an_operation(self):
        addresses = [channel["address"] for channel in self.doc["channels"].values()]
        self.assertEqual(addresses, [f"checkout.{s}.v1" for s in ("commands", "events", "state", "deadletters", "alerts")])
        used = {operation["channel"]["$ref"] for operation in self.doc["operations"].values()}
        self.assertEqual(used, {f"#/channels/{name}" for name in self.doc["channels"]})
        for name, message in self.messages.items():
            self.assertIn("description", message["bindings"]["kafka"]["key"], name)

    def test_every_schema_is_a_schema_and_events_are_strict(self):
        for name, schema in self.doc["components"]["schemas"].items():
            jsonschema.Draft7Validator.check_schema(schema)
            if name.endswith("Event") or name in ("EventHeaders", "AlertHeaders", "Alert", "DeadLetterMarkHeaders", "DeadLetterMark"):
                self.assertIs(schema["additionalProperties"], False, name)
            if name.endswith("Command"):
                self.assertNotIn("additionalProperties", schema, name)

    def test_commands_and_events_are_those_of_the_contract(self):
        counts = {kind: len(of) for kind, of in self.contract.by_type.items()}
        self.assertEqual(counts, {"command": 29, "event": 42})

    def test_examples_are_records_that_fit(self):
        for name, message in self.messages.items():
            self.assertEqual("examples" in message, name != "state", f"{name}: an example is a record, a snapshot is bytes")
            for example in message.get("examples", ()):
                self.assertIsNone(self.contract.message(message, example["headers"], example["payload"]), name)

    def test_a_record_that_does_not_fit_is_found(self):
        message = self.messages["event.cart.created"]
        good = {
            "key": "c1",
            "headers": {
                "ce_specversion": "1.0",
                "ce_id": "0-0-0",
                "ce_source": "/mayfly/shop",
                "ce_type": message["name"],
                "ce_subject": "c1",
                "ce_sequence": "1",
                "ce_time": "2026-11-24T12:00:00.000Z",
                "content-type": "application/json",
            },
            "data": {"currency": "GBP", "expires_after_s": 86400},
        }
        self.assertIsNone(self.contract.event(good))
        for where, name, value in [
            ("data", "currency", "gbp"),
            ("data", "expires_after_s", "86400"),
            ("data", "expires_after_s", 86400.5),
            ("data", "colour", "red"),
            ("headers", "ce_id", "0-0"),
            ("headers", "ce_sequence", "0"),
            ("headers", "ce_color", "red"),
            ("headers", "ce_time", "2026-11-24T12:00:00Z"),
            ("headers", "ce_type", "dev.mayfly.cart.flown.v1"),
            ("headers", "ce_subject", "c2"),
        ]:
            bad = copy.deepcopy(good)
            bad[where][name] = value
            self.assertIsNotNone(self.contract.event(bad), (name, value))
        for where, name in [("data", "currency"), ("headers", "ce_source"), ("headers", "ce_sequence")]:
            bad = copy.deepcopy(good)
            del bad[where][name]
            self.assertIsNotNone(self.contract.event(bad), name)

    def test_no_event_fits_with_a_member_left_out_or_of_another_type(self):
        for name, message in self.messages.items():
            if not name.startswith("event."):
                continue
            example = message["examples"][0]
            required = resolve(self.doc, message["payload"]["$ref"])["required"]
            self.assertLessEqual(set(required), set(example["payload"]), name)
            for member in required:
                left_out = {k: v for k, v in example["payload"].items() if k != member}
                self.assertIsNotNone(self.contract.message(message, example["headers"], left_out), (name, member))
            for member, value in example["payload"].items():
                for wrong in (None, True, 1.5, [1], {"a": 1}, "" if isinstance(value, str) else "1", 7 if isinstance(value, str) else -1):
                    if (member, wrong) == ("session_id", "") and name in AS_RECEIVED or wrong == value:
                        continue
                    if wrong == -1 and (name, member) in NEGATIVE:
                        continue
                    data = {**example["payload"], member: wrong}
                    self.assertIsNotNone(self.contract.message(message, example["headers"], data), (name, member, wrong))
            self.assertIsNotNone(self.contract.message(message, example["headers"], {**example["payload"], "colour": "red"}), name)

    def test_ids_name_what_they_are_of_and_no_control_character(self):
        for schema, good, bad in [
            ("CartId", "c1", "c\u00851"),
            ("SessionId", "c1-p1", "c1-r1"),
            ("SessionId", "c1-p10", "c1-p01"),
            ("ReservationId", "c1-r1", "c1"),
        ]:
            reference = {"$ref": f"#/components/schemas/{schema}"}
            self.assertIsNone(self.contract.check(reference, good), schema)
            self.assertIsNotNone(self.contract.check(reference, bad), schema)

    def test_only_what_is_said_of_a_cart_without_state_may_lack_a_sequence(self):
        for name, message in self.messages.items():
            if not name.startswith("event."):
                continue
            example = message["examples"][0]
            headers = {k: v for k, v in example["headers"].items() if k != "ce_sequence"}
            late = name.removeprefix("event.") in LATE
            self.assertEqual(self.contract.message(message, headers, example["payload"]) is None, late, name)
        headers = {**self.messages["event.command.dead_lettered"]["examples"][0]["headers"], "ce_sequence": "1"}
        self.assertIsNotNone(self.contract.check(self.messages["event.command.dead_lettered"]["headers"], headers))


if __name__ == "__main__":
    unittest.main()
