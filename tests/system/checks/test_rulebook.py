"""docs/contract.md and docs/decisions.md are what the program does: names, codes, defaults, limits and members are those of
the code, in both directions, and example records are what the built program takes and writes.

Usage: test_rulebook.py MAYFLY WORDS_AS_JSON. Needs Debian's python3-yaml and python3-fastjsonschema.
"""
import collections
import contextlib
import json
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import asyncapi

ROOT = asyncapi.DOCUMENT.parents[1]
MAYFLY, WORDS = (str(pathlib.Path(sys.argv.pop(1)).resolve()) for _ in range(2)) if len(sys.argv) > 2 and "mayfly" in sys.argv[1] else (
    str(ROOT / "build/release/mayfly"), str(ROOT / "build/release/tests/words_as_json"))
CONTRACT = ROOT / "docs" / "contract.md"
DECISIONS = ROOT / "docs" / "decisions.md"
GUIDE = ROOT / "docs" / "integration.md"
PATIENCE_S = 300
COMMANDS_STREAM = 0  # in the table of ends
PARTITIONS = 4
# Differ from run to run; how far they lie behind ce_time does not.
TIMES = ("deadline", "hold_until")


def program_words():
    return json.loads(subprocess.run([WORDS], capture_output=True, text=True, check=True).stdout)


def sections(text):
    """{heading number: (title, body to the next heading of any level)}; a heading without a number has its title."""
    found = {}
    for part in re.split(r"^(?=#{1,6} )", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), flags=re.M):
        heading = re.match(r"#{1,6} +(?:([0-9]+(?:\.[0-9]+)*) +)?(.*)", part)
        if heading:
            found[heading[1] or heading[2]] = (heading[2], part[heading.end():])
    return found


def rows(body):
    """The cells of each table row in a section, without heads and rules."""
    lines = [line for line in body.splitlines() if line.startswith("|")]
    is_rule = [set(line) <= set("|-: ") for line in lines] + [False]
    for at, line in enumerate(lines):
        if not is_rule[at] and not is_rule[at + 1]:
            yield [cell.strip() for cell in line.strip("|").split(" |")]


def coded(text):
    return re.findall(r"`([^`]+)`", text)


def first_names(body):
    return [coded(row[0])[0] for row in rows(body) if coded(row[0])]


def number(text):
    """The first number of a cell, in seconds where it is a time."""
    if text in ("true", "false", "none"):
        return {"true": True, "false": False, "none": ""}[text]
    if text == '""':
        return ""
    value, unit = re.match(r"([0-9,]+) ?(s|h)?\b", text).groups()
    return int(value.replace(",", "")) * {"h": 3600}.get(unit, 1)


def limits_of_the_code():
    """name: value of events' limits, which are constants of a header; times in seconds."""
    (header,) = (ROOT / "events").rglob("settings.h")
    (money,) = (ROOT / "events").rglob("money.h")
    limits = re.search(r"namespace limits \{(.*?)\}  // namespace limits", header.read_text(), re.S)[1] + money.read_text()
    found = {}
    for name, value in re.findall(r"^inline constexpr [\w:]+ (\w+) = ([^;]+);", limits, re.M):
        value = value.replace("'", "")
        found[name] = int(value[:-2]) * {"s": 1, "h": 3600, "d": 86400}[value[-1]] if "_" in value else eval(value)  # noqa: S307: digits and *
    return found


def examples():
    """(kind, record) of each `json command` and `json event` block, in order."""
    for kind, block in re.findall(r"^```json (command|event)\n(.*?)^```", CONTRACT.read_text(), re.M | re.S):
        yield kind, json.loads(block)


def murmur2(key):
    """As section 2 says: Kafka's."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ len(key)) & mask
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at : at + 4], "little") * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    if rest := key[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.words = program_words()
        cls.text = CONTRACT.read_text()
        cls.sections = sections(cls.text)
        cls.doc = asyncapi.document()

    def body(self, number_):
        return self.sections[number_][1]

    def same(self, documented, of_program, what, page="docs/contract.md"):
        """Each name once, and none that the other side does not have."""
        twice = [name for name, times in collections.Counter(documented).items() if times > 1]
        self.assertEqual(twice, [], f"{what}: given twice")
        self.assertEqual(set(documented) - set(of_program), set(), f"{what}: in {page}, not in the program")
        self.assertEqual(set(of_program) - set(documented), set(), f"{what}: in the program, not in {page}")

    def test_commands_and_events(self):
        commands = [name for name in self.sections if name in self.words["commands"] or re.fullmatch(r"\w+\.\w+", name) and not name[0].isdigit()]
        self.same(commands, self.words["commands"], "commands")
        events = [name for n in ("7.1", "7.2", "7.3", "7.4", "7.5") for name in first_names(self.body(n))]
        self.same(events, self.words["events"], "events")

    def test_topics_codes_and_other_words(self):
        self.same(first_names(self.body("1")), self.words["topics"], "topics")
        self.same(first_names(self.body("10")), self.words["codes"], "codes")
        self.same(first_names(self.body("3.3")), self.words["dead_letters"], "reasons of dead letters")
        self.same(first_names(self.body("7.6")), set(self.words["whys"]) - {"canceled", "paid", "released"}, "why of checkout.reopened")
        self.same(first_names(self.body("7.7")), self.words["outcomes"], "outcomes of sessions")
        kinds = [row for row in rows(self.body("cart.adjust")) if "kind" in row[0]]
        self.same(coded(kinds[0][1]), self.words["adjustment_kinds"], "kinds of adjustments")
        states = [row for row in rows(self.body("payment.status")) if row[0] == "`state`"]
        self.same(coded(states[0][1]), self.words["status_states"], "states of payment.status")

    def test_the_guide_has_every_code_every_command_of_a_shop_and_every_request(self):
        guide, page = sections(GUIDE.read_text()), "docs/integration.md"
        codes = [name for row in rows(guide["2.3"][1]) for name in coded(row[0])]
        self.same(codes, self.words["codes"], "codes", page)
        settled = [name for row in rows(guide["2.2"][1]) for name in coded(row[0])]
        # Of the warehouse, the payment service or the engine are all others.
        of_a_shop = [name for name in self.words["commands"] if re.match(r"(cart|checkout)\.(?!merge_)", name)] + ["payment.capture"]
        self.same(settled, of_a_shop, "commands that are waited for", page)
        requests = [name for section in ("3.1", "4") for row in rows(guide[section][1]) for name in coded(row[0])]
        self.same(requests, [name for name in self.words["events"] if name.endswith("_requested")], "requests", page)

    def test_defaults_of_settings(self):
        documented = {coded(row[0])[0]: number(row[1]) for row in rows(self.body("15.2"))}
        self.assertEqual(documented, self.words["settings"])
        in_waits = {name for row in rows(self.body("11")) for name in coded(row[2])}
        self.assertLessEqual(in_waits, set(self.words["settings"]))

    def test_limits(self):
        documented = {coded(row[0])[0]: number(row[1]) for row in rows(self.body("15.1"))}
        self.assertEqual(documented, limits_of_the_code())

    def test_members_of_events(self):
        """Those of docs/asyncapi.yaml, which every record of the test runs fits."""
        schemas = self.doc["components"]["schemas"]
        documented = [row for n in ("7.1", "7.2", "7.3", "7.4", "7.5") for row in rows(self.body(n))]
        for event, _, data, *_rest in documented:
            name = coded(event)[0]
            schema = schemas["".join(part.capitalize() for part in re.split(r"[._]", name)) + "Event"]
            members = re.findall(r"`(\w+)`(\??)", data)
            self.assertEqual({m for m, _ in members}, set(schema["properties"]), name)
            self.assertEqual({m for m, optional in members if not optional}, set(schema["required"]), name)

    def test_members_of_commands(self):
        """Names, whether they are required, lengths and ranges are those of docs/asyncapi.yaml."""
        for command in self.words["commands"]:
            schema = self.doc["components"]["schemas"]["".join(p.capitalize() for p in re.split(r"[._]", command)) + "Command"]
            for row in rows(self.body(command)):
                path = coded(row[0])[0].replace("[]", "").split(".")
                with self.subTest(command=command, member=path):
                    self.check_member(schema, path, row[1], row[2])
            documented = {coded(row[0])[0].split(".")[0].split("[")[0] for row in rows(self.body(command))}
            self.assertEqual(documented, set(schema["properties"]), command)

    def check_member(self, schema, path, form, required):
        for step in path[:-1]:
            schema = self.value_of(schema["properties"][step])
            schema = schema.get("items", schema)
        self.assertEqual(required == "yes", path[-1] in schema["required"])
        value = self.value_of(schema["properties"][path[-1]])
        if match := re.match(r"string, 1\.\.([0-9,]+) bytes", form):
            self.assertEqual((value["type"], value.get("maxLength")), ("string", number(match[1])))
        elif match := re.match(r"integer, ([0-9,]+)\.\.([0-9,]+)", form):
            self.assertEqual((value["minimum"], value["maximum"]), (number(match[1]), number(match[2])))
        elif form.startswith("integer, 0 or more"):
            self.assertEqual((value["type"], value["minimum"]), ("integer", 0))
        elif match := re.match(r"array, 0\.\.([0-9]+) entries", form):
            self.assertEqual((value["type"], value["maxItems"]), ("array", int(match[1])))
        elif match := re.match(r"array of strings, 1\.\.([0-9]+) bytes each", form):
            self.assertEqual(value["items"]["maxLength"], int(match[1]))
        elif coded(form):
            self.assertEqual(set(coded(form)), set(value["enum"]))
        else:
            self.assertEqual(form, value["type"])

    def value_of(self, schema):
        """Without a reference and without "or null"."""
        if "$ref" in schema:
            schema = self.doc["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if isinstance(schema.get("type"), list):
            schema = {**schema, "type": schema["type"][0]}
        return self.value_of(schema["anyOf"][0]) if "anyOf" in schema else schema


class Guards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.words = program_words()
        cls.text = DECISIONS.read_text()
        cls.sections = sections(cls.text)

    def guards(self):
        """(section, number, rest of the row) of each guard."""
        for section, (_, body) in self.sections.items():
            for row in rows(body):
                if re.fullmatch(r"\d+\.\d+\.\d+", row[0]):
                    yield section, row[0], row[1:]

    def test_each_ladder_counts_its_guards_from_one_and_names_each(self):
        ladders = collections.defaultdict(list)
        for section, guard, row in self.guards():
            ladders[section].append(guard)
            self.assertRegex(row[0], r"^\*\*[^*]+\*\*", f"guard {guard} has no name")
        self.assertGreater(len(ladders), 15)
        for section, found in ladders.items():
            self.assertEqual(found, [f"{section}.{n}" for n in range(1, len(found) + 1)])

    def test_guards_and_sections_that_it_names_itself_are_there(self):
        known = {guard for _, guard, _ in self.guards()} | set(self.sections)
        for named in re.findall(r"(?<![\w.,#±(/-])\d+\.\d+(?:\.\d+)?(?![\w.,]*\d)(?! (?:binary|in Kafka))", re.sub(r"\(\S+\.md\S*\)", "", self.text)):
            self.assertIn(named, known | {"1.0"})

    def test_the_ladders_lead_to_every_event_code_reason_and_outcome(self):
        ladders = "\n".join(" | ".join(row) for _, _, row in self.guards()) + self.sections["5.3"][1]
        named = set(coded(ladders))
        self.assertEqual(set(self.words["events"]) - named - {"command.rejected", "command.dead_lettered"}, set())
        refused = set(re.findall(r"refused `(\w+)`", ladders))
        self.assertEqual(refused, set(self.words["codes"]))
        reasons = {row[-1].strip("`") for section, _, row in self.guards() if section == "1.1"}
        self.assertEqual(reasons | {"keeps_failing", "quarantined", "state_unreadable"}, set(self.words["dead_letters"]))
        dotted = {word for word in coded(self.text) if re.fullmatch(r"(cart|checkout|order|inventory|payment|command|clock)\.\w+", word)}
        self.assertLessEqual(dotted, set(self.words["events"]) | set(self.words["commands"]))
        outcomes = set(re.findall(r"`payment.session_ended` \((\w+)", ladders)) | set(re.findall(r"UNPAID\((\w+)\)", ladders))
        self.assertEqual(outcomes, set(self.words["outcomes"]))
        whys = set(re.findall(r"(?:VOID|REFUND|CLOSE)\((\w+)\)", ladders)) | set(re.findall(r"`checkout.reopened` \((\w+)", ladders))
        self.assertEqual(whys, set(self.words["whys"]))

    def test_waits_and_their_lengths(self):
        waits = list(rows(self.sections["3.3"][1]))
        self.assertEqual({row[0] for row in waits}, set(self.words["waits"]) - {"none"})
        set_by_guards = set(re.findall(r"wait (\w+)", "\n".join(row[-1] for _, _, row in self.guards()) + self.sections["5.3"][1]))
        self.assertLessEqual(set_by_guards, set(self.words["waits"]))
        settings = self.words["settings"]
        for row in waits:
            numbers = [int(n.replace(",", "")) for n in re.findall(r"([0-9,]+) s\b", row[1])]
            if f"{row[0]}_wait_s" in settings and row[0] != "action":
                self.assertEqual(numbers, [settings[f"{row[0]}_wait_s"]], row[0])
        lengths = {row[0]: [int(n.replace(",", "")) for n in re.findall(r"([0-9,]+) s\b", row[1])] for row in waits}
        self.assertEqual(lengths["action"], [settings["action_wait_s"], settings["action_total_s"], 1])
        self.assertEqual(lengths["capture_retry"], [settings["capture_retry_1_s"], settings["capture_retry_2_s"]])
        self.assertEqual(lengths["status_try"], [settings[f"status_try_{n}_s"] for n in range(1, 5)])

    def test_limits_that_the_ladders_name(self):
        """Each number of four digits and more is a limit or a default."""
        known = set(limits_of_the_code().values()) | set(self.words["settings"].values()) | {1024, 10**15}
        ladders = "\n".join(row[0] for _, _, row in self.guards())
        for text in re.findall(r"(?<![\w#])\d{1,3}(?:,\d{3})+", ladders):
            self.assertIn(int(text.replace(",", "")), known)


def field(content):
    size, out = len(content), b""
    while size >= 0x80:
        out, size = out + bytes([size & 0x7F | 0x80]), size >> 7
    return out + bytes([size]) + content


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "shop.db"

    def serve_until(self, done):
        command = [MAYFLY, "serve", "--log", f"sqlite:{self.path}", "--name", "shop", "--partitions", str(PARTITIONS), "--http", "off"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as engine:
            self.assertTrue(any('"name":"ready"' in line for line in engine.stderr))
            end = time.monotonic() + PATIENCE_S
            while not done() and time.monotonic() < end:
                time.sleep(0.02)
            engine.send_signal(signal.SIGTERM)
            engine.communicate(timeout=PATIENCE_S)
        self.assertEqual(engine.returncode, 0)

    def tail(self, stream):
        words = [MAYFLY, "tail", "--log", f"sqlite:{self.path}", "--stream", stream, "--from", "begin", "--json"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def append(self, commands):
        """As any producer could: the records of the page, one after the other, in their keys' partitions."""
        now_ms = int(time.time() * 1000)
        with contextlib.closing(sqlite3.connect(self.path)) as log, log:
            ends = log.execute("SELECT partition, next FROM ends WHERE stream = ?", (COMMANDS_STREAM,))
            next_offset = collections.Counter(dict(ends))
            for record in commands:
                key = record["key"].encode()
                partition = (murmur2(key) & 0x7FFFFFFF) % PARTITIONS
                value = json.dumps(record.get("value", record.get("data"))).encode()
                headers = b"".join(field(text.encode()) for pair in record["headers"].items() for text in pair)
                offset = next_offset[partition]
                next_offset[partition] += 1
                log.execute("INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?)", (partition, offset, key, headers, value, now_ms))
                log.execute("INSERT OR REPLACE INTO ends VALUES (?, ?, ?, ?)", (COMMANDS_STREAM, partition, offset + 1, now_ms))

    def test_the_program_takes_the_commands_and_writes_the_events(self):
        self.maxDiff = None
        records = list(examples())
        commands = [record for kind, record in records if kind == "command"]
        wanted = [record for kind, record in records if kind == "event"]
        self.assertGreater(len(commands), 5)
        self.serve_until(lambda: True)  # makes the log
        self.append(commands)
        self.serve_until(lambda: len(self.tail("events")) >= len(wanted))
        written = {}
        for record in self.tail("events"):
            del record["append_time"]
            written[record["headers"]["ce_id"]] = self.without_times(record)
        self.assertEqual([self.without_times(record) for record in wanted], [written.get(record["headers"]["ce_id"]) for record in wanted])
        self.assertEqual(len(written), len(wanted), "the program wrote events that the page does not show")

    @staticmethod
    def without_times(record):
        """Times by how far they lie behind the command's."""
        begin = asyncapi_time(record["headers"]["ce_time"])
        headers = {**record["headers"], "ce_time": "a time"}
        data = {k: (asyncapi_time(v) - begin if k in TIMES else v) for k, v in record["data"].items()}
        return {**record, "headers": headers, "data": data}

    def test_the_examples_fit_the_asyncapi_document(self):
        contract = asyncapi.Contract()
        for kind, record in examples():
            if kind == "event":
                self.assertIsNone(contract.event(record))
            elif "data" in record:
                self.assertIsNone(contract.command(record))


def asyncapi_time(text):
    """Milliseconds; the form that docs/asyncapi.yaml wants."""
    whole, milliseconds = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3})Z", text).groups()
    return int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))) * 1000 + int(milliseconds)


if __name__ == "__main__":
    unittest.main()
