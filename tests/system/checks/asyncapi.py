#!/usr/bin/env python3
"""Validates records against docs/asyncapi.yaml: every event, dead letter and alert of the logs that are named.

Usage: asyncapi.py MAYFLY LOG...   reads each log with `mayfly tail --json`, or a folder's events.ndjson and so on,
as tail prints them. Exits 1 on any finding.
Needs Debian's python3-yaml and python3-fastjsonschema. Knows nothing of the engine but the document.
"""
import collections
import json
import pathlib
import subprocess
import sys

import fastjsonschema
import yaml

DOCUMENT = pathlib.Path(__file__).resolve().parents[3] / "docs" / "asyncapi.yaml"
MOST_SHOWN = 20
CARD = "4111 1111 1111 1111"  # tests/system/hostile/noise.h sends it


def document():
    with open(DOCUMENT, encoding="utf-8") as text:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class Contract:
    def __init__(self, doc=None):
        self.doc = doc or document()
        self.compiled = {}
        messages = self.doc["components"]["messages"]
        self.by_type = {
            kind: {m["name"]: m for key, m in messages.items() if key.startswith(kind + ".")} for kind in ("event", "command")
        }

    def check(self, schema, value):
        """What is wrong, or None."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self.compiled:
            whole = {"$schema": "http://json-schema.org/draft-07/schema#", "components": self.doc["components"]}
            self.compiled[key] = fastjsonschema.compile({**whole, "allOf": [schema]})
        try:
            self.compiled[key](value)
        except fastjsonschema.JsonSchemaException as error:
            return error.message
        return None

    def message(self, message, headers, data):
        return self.check(message["headers"], headers) or self.check(message["payload"], data)

    def event(self, record):
        message = self.by_type["event"].get(record["headers"].get("ce_type"))
        if message is None:
            return "an event of no known type"
        if record.get("key") != record["headers"].get("ce_subject"):
            return "the key is not the subject"
        return self.message(message, record["headers"], record.get("data"))

    def command(self, record):
        message = self.by_type["command"].get(record["headers"].get("ce_type"))
        return "a command of no known type" if message is None else self.message(message, record["headers"], record["data"])

    def dead_letter(self, record):
        if CARD in json.dumps(record):
            return "a card number"
        is_mark = "mayfly.reason" not in record["headers"]
        message = self.doc["components"]["messages"]["dead_letter_mark" if is_mark else "dead_letter"]
        return self.message(message, record["headers"], record.get("data"))

    def alert(self, record):
        if record.get("key") != str(record["partition"]):
            return "the key is not the partition"
        message = self.doc["components"]["messages"]["alert"]
        return self.message(message, record["headers"], record.get("data"))


def records(mayfly, log, stream):
    if pathlib.Path(log).is_dir():
        with open(pathlib.Path(log) / f"{stream}.ndjson", encoding="utf-8") as text:
            yield from map(json.loads, text)
        return
    tail = subprocess.Popen(
        [mayfly, "tail", "--log", log, "--stream", stream, "--from", "begin", "--json"], stdout=subprocess.PIPE, text=True
    )
    with tail.stdout:
        yield from map(json.loads, tail.stdout)
    if tail.wait() != 0:
        raise SystemExit(f"mayfly tail of {stream} ended with {tail.returncode}")


def check_log(contract, mayfly, log):
    """(findings, records by stream)"""
    findings, counts = [], collections.Counter()
    for stream, check in (("events", contract.event), ("deadletters", contract.dead_letter), ("alerts", contract.alert)):
        for record in records(mayfly, log, stream):
            counts[stream] += 1
            wrong = check(record)
            if wrong:
                findings.append(f"{stream} {record['partition']}:{record['offset']}: {wrong}: {json.dumps(record)}")
    return findings, counts


def main(words):
    mayfly, *logs = words
    contract = Contract()
    found = False
    for log in logs:
        findings, counts = check_log(contract, mayfly, log)
        for finding in findings[:MOST_SHOWN]:
            print(finding)
        found = found or bool(findings)
        valid = ", ".join(f"{counts[s]} {s}" for s in ("events", "deadletters", "alerts"))
        print(f"{log}: {valid}; {len(findings)} do not fit docs/asyncapi.yaml")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
