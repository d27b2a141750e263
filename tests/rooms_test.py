"""House rules as tests: who may include whom, what files look like, what words are not used. Run from anywhere."""
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("events", "actors", "adapters", "tools")
# What a room may include of the project, and which libraries beyond the standard one; {file: ...} narrows them down.
MAY_INCLUDE = {
    "events": {"events"},
    "actors": {"events", "actors"},
    "adapters": {"events", "adapters"},
    "tools": {"events", "actors", "adapters", "tools"},
}
LIBRARIES = {
    "events": {"simdjson.h": {"json_reader.cpp"}, "sodium/": {"base64.cpp", "hex.cpp", "hmac.cpp", "identity.cpp", "tick_proof.cpp"}},
    "actors": {"caf/": None},
    "adapters": {"sqlite3.h": None, "librdkafka/": None, "boost/": {"client_address.h", "http_connection.h", "http_server.cpp", "http_client.cpp", "http_caller.cpp", "http_wire.h", "tls.cpp"}},
    "tools": {"spdlog/": None, "fmt/": None, "nlohmann/": None, "CLI/": {"arguments.h"}, "toml++/": {"config_keys.cpp"}, "zstd.h": {"retail.cpp", "bundle_file.cpp"}},
}
# Within a room too, includes point downwards only: from a folder to itself and to those after it. A room's top may
# include all of its folders. Folders in one set do not know each other.
FOLDERS = {
    "events": [{"state", "wire"}, {"rules"}, {"text"}, {"log"}],
    "actors": [{"outages"}, {"engine"}, {"partition"}, {"cart"}, {"crash"}, {"memory"}],
    "adapters": [{"kafka", "sqlite", "http"}, {"host"}],
    "tools": [{"reenact", "drive"}, {"demo", "bundle", "deadletters", "connect"}, {"serve"}, {"simulate"}, {"front_door", "feed", "funds", "replay", "traces", "watch"}, {"records"}, {"console"}],
}
# Seen from every folder of its room: what lies at the top although it is no way in.
AT_THE_TOP = {"adapters/record_limits.h"}
SYSTEM = {
    "events": {"cpuid.h", "immintrin.h"},
    "actors": {"pthread.h"},
    "adapters": {"arpa/inet.h", "fcntl.h", "poll.h", "unistd.h", "sys/file.h", "sys/inotify.h", "sys/mman.h", "sys/socket.h", "sys/stat.h", "sys/statvfs.h", "sys/types.h", "sys/un.h"},
    "tools": {"unistd.h", "sys/prctl.h", "sys/resource.h", "sys/wait.h", "signal.h", "pthread.h", "fcntl.h", "locale.h", "poll.h", "pwd.h"},
}
NOT_PURE = {"thread", "mutex", "fstream", "iostream", "ctime", "random", "filesystem", "condition_variable", "future"}
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|impl|common)(_|\.|$)")
LONGEST_FILE_LINES = 300
LONGEST_FUNCTION_LINES = 60
# Files that may be longer, and why; none is longer than LONGEST_WITH_A_REASON_LINES.
LONGEST_WITH_A_REASON_LINES = 400
LONG_FILES = {
    "actors/engine/engine_run.cpp": "the loop: poll, decide, commit and what each does when the log fails; read as one",
    "actors/partition/partition_actor.cpp": "one actor and its mailbox: a batch from the first record to the last, and ticks",
    "actors/partition/record_writer.cpp": "every record that a batch writes, beside what they share: kept bytes, ids, headers",
    "adapters/http/http_connection.h": "one template of a connection's states, for TCP and TLS; instantiated in one place",
    "adapters/kafka/kafka_log.cpp": "one transactional producer and its consumer, whose states depend on each other",
    "adapters/sqlite/sqlite_log.cpp": "one log: its two sides share the connection, the lock and the meaning of errors",
    "adapters/sqlite/sqlite_tables.cpp": "the tables, and every statement that reads or writes them",
    "events/rules/decide_cart.cpp": "the ladders of docs/decisions.md 2, in its order",
    "events/rules/decide_session.cpp": "the ladders of docs/decisions.md 5, in its order",
    "events/rules/session_rungs.h": "the rungs that the ladders of docs/decisions.md 5 and 6 share",
    "events/wire/command_json.cpp": "a reader for each command's data, as docs/contract.md lists them",
    "events/wire/event_json.cpp": "a writer for each event's data, as docs/contract.md lists them",
    "tools/connect/delivery.cpp": "one delivery: read, send, try again, park and keep, all about one queue",
    "tools/deadletters/deadletters.cpp": "one verb with five ways to use it, which share the selection and the counts",
    "tools/records/command_exchange.cpp": "three threads of one exchange: what is written, what is read, what is looked back for",
    "tools/replay/replay_condition.cpp": "one small language: its words, its parser and what it comes to",
    "tools/replay/replay_guards.cpp": "a ladder for each command, in the order of docs/decisions.md",
    "tools/replay/replay_partition.cpp": "the engine's way of one record, without actors, in its order",
    "tools/replay/replay_timeline.cpp": "the steps of one cart, each with what is shown of it",
}
# Functions that may be longer, by file and name, and why.
LONG_FUNCTIONS = {
    ("events/wire/cloudevent.cpp", "CommandReader::read"): "the checks of docs/decisions.md 1, in the order that decides which reason is given",
    ("tools/connect/connect.cpp", "connect"): "a start: what is opened first outlives what is opened next",
    ("tools/console/config.cpp", "keys_of"): "one table: a line for each key of the config file",
    ("tools/demo/demo.cpp", "demo"): "a start: what is opened first outlives what is opened next; then its loop",
    ("tools/funds/funds_book.cpp", "FundsBook::apply_payment"): "one switch: what each event does to the money",
    ("tools/main.cpp", "main"): "one table: each verb with its words",
    ("tools/replay_arguments.cpp", "add_replay"): "one table: each verb of replay with its words",
    ("tools/serve/serve.cpp", "serve"): "a start: what is opened first outlives what is opened next",
}
SPELLING = re.compile(r"\b(TODO|FIXME|XXX:)\b")


def tracked():
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / n for n in names if n and (ROOT / n).exists()]


def sources():
    """Every source of every room, however deep its folder."""
    return [f for f in tracked() if room_of(f) in ROOMS and f.suffix in (".h", ".cpp")]


def room_of(file):
    return file.relative_to(ROOT).parts[0]


def folder_of(path):
    """The folder within the room that a path like "events/log/record.h" lies in; empty at the room's top."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else ""


def includes(file):
    return re.findall(r'^#include ([<"])([^>"]+)[>"]', file.read_text(), re.M)


def includes_refused(room, file_name, mark, name):
    """Why a file of a room may not include that; None if it may."""
    if mark == '"':
        return None if name.split("/")[0] in MAY_INCLUDE[room] else f"{room}/ may not include {name}"
    for library, only in LIBRARIES[room].items():
        if name.startswith(library):
            return None if only is None or file_name in only else f"{name} is for {sorted(only)} only"
    if name in SYSTEM.get(room, ()):
        return None
    if "/" in name or name.endswith(".h"):
        return f"{room}/ may not include <{name}>"
    if room == "events" and name in NOT_PURE:
        return f"events/ is pure: no <{name}>"
    return None


def points_upwards(path, name):
    """Why a file of a room may not include another one of the same room; None if it may."""
    room, into = path.split("/")[0], folder_of(name)
    if name.split("/")[0] != room or not folder_of(path) or name in AT_THE_TOP or into == folder_of(path):
        return None
    level = {folder: number for number, folders in enumerate(FOLDERS[room]) for folder in folders}
    if into and level.get(into, -1) > level.get(folder_of(path), -1):
        return None
    return f"{room}/{folder_of(path)}/ stands below or beside {name}"


def functions(text):
    """Name, first line and length in lines of each function, whatever it is nested in; of one in another the outer one.
    Relies on the format: a body ends with a brace of its own, indented as the function's first line."""
    lines, found = text.split("\n"), []
    for end, line in enumerate(lines):
        if line.strip() != "}":
            continue
        indent = len(line) - 1
        begin = end - 1
        while begin >= 0 and (not lines[begin].strip() or len(lines[begin]) - len(lines[begin].lstrip()) > indent or lines[begin][0] == "#"):
            begin -= 1
        name = re.search(r"([\w:~]+)\(", lines[begin]) if begin >= 0 else None
        if name and name[1] not in ("if", "for", "while", "switch"):
            found = [f for f in found if f[1] < begin] + [(name[1], begin, end - begin + 1)]
    return found


class HouseRules(unittest.TestCase):
    def test_a_room_includes_only_what_it_may(self):
        for file in sources():
            for mark, name in includes(file):
                refused = includes_refused(room_of(file), file.name, mark, name)
                self.assertIsNone(refused, f"{file.relative_to(ROOT)}: {refused}")

    def test_a_folder_includes_only_what_lies_below_it(self):
        for file in sources():
            path = file.relative_to(ROOT).as_posix()
            for mark, name in includes(file):
                if mark == '"':
                    self.assertIsNone(points_upwards(path, name), f"{path}: {points_upwards(path, name)}")

    def test_only_the_reenactment_can_make_actors_with_an_outages_bug(self):
        for file in sources():
            path = file.relative_to(ROOT).as_posix()
            if not path.startswith(("actors/outages/", "tools/reenact/")):
                self.assertNotIn("actors/outages/", " ".join(name for _, name in includes(file)), path)

    def test_every_folder_of_a_room_has_its_place(self):
        for file in sources():
            room, folder = room_of(file), folder_of(file.relative_to(ROOT).as_posix())
            self.assertIn(folder, {""}.union(*FOLDERS[room]), f"{file}: say in FOLDERS where {room}/{folder}/ stands")

    def test_an_include_that_points_upwards_is_refused(self):
        for path, name in [("actors/cart/cart_actor.cpp", "actors/engine/engine.h"), ("events/log/record.h", "events/rules/cart.h"),
                           ("events/wire/event_json.cpp", "events/state/snapshot.h"), ("adapters/kafka/kafka_log.cpp", "adapters/open_log.h")]:
            self.assertIsNotNone(points_upwards(path, name))
        for path, name in [("actors/engine/engine.cpp", "actors/cart/cart_actor.h"), ("events/wire/event_json.cpp", "events/rules/cart.h"),
                           ("adapters/kafka/kafka_log.cpp", "adapters/record_limits.h"), ("adapters/open_log.cpp", "adapters/kafka/kafka_log.h")]:
            self.assertIsNone(points_upwards(path, name))

    def test_a_file_in_a_new_folder_is_seen(self):
        """By these rules and by what builds, for both take a room's files from all of its folders."""
        self.assertEqual(room_of(ROOT / "events/new/deep/any.h"), "events")
        self.assertIn("file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${name}/*.cpp)", (ROOT / "CMakeLists.txt").read_text())
        self.assertEqual({room_of(f) for f in sources()}, set(ROOMS))

    def test_clang_tidy_reads_headers_however_deep_their_folder(self):
        said = re.search(r"^HeaderFilterRegex: '(.*)'$", (ROOT / ".clang-tidy").read_text(), re.M)[1]
        for file in [*sources(), ROOT / "events/new/deep/any.h"]:
            self.assertIsNotNone(re.search(said, file.as_posix()), f"{file}: HeaderFilterRegex in .clang-tidy passes it over")

    def test_a_forbidden_include_is_refused(self):
        for room, name in [("events", "actors/engine.h"), ("actors", "adapters/memory_log.h"), ("adapters", "actors/task.h")]:
            self.assertIsNotNone(includes_refused(room, "any.cpp", '"', name))
        for room, name in [("events", "caf/all.hpp"), ("events", "thread"), ("actors", "sqlite3.h"), ("adapters", "caf/actor.hpp")]:
            self.assertIsNotNone(includes_refused(room, "any.cpp", "<", name))

    def test_files_are_short_and_have_names_of_the_field(self):
        for file in sources():
            path = file.relative_to(ROOT).as_posix()
            longest = LONGEST_WITH_A_REASON_LINES if path in LONG_FILES else LONGEST_FILE_LINES
            self.assertLessEqual(len(file.read_text().splitlines()), longest, f"{path}: cut it, or say in LONG_FILES why not")
            self.assertIsNone(FORBIDDEN_NAMES.search(file.name), file)

    def test_functions_are_short(self):
        for file in sources():
            path = file.relative_to(ROOT).as_posix()
            for name, _, length in functions(file.read_text()):
                if (path, name) not in LONG_FUNCTIONS:
                    self.assertLessEqual(length, LONGEST_FUNCTION_LINES, f"{path}: {name}: cut it, or say in LONG_FUNCTIONS why not")

    def test_what_has_become_short_is_in_no_table(self):
        for path in LONG_FILES:
            self.assertGreater(len((ROOT / path).read_text().splitlines()), LONGEST_FILE_LINES, path)
        for path, name in LONG_FUNCTIONS:
            lengths = [length for called, _, length in functions((ROOT / path).read_text()) if called == name]
            self.assertGreater(max(lengths, default=0), LONGEST_FUNCTION_LINES, f"{path}: {name}")

    def test_a_long_function_is_found(self):
        body = "    say();\n" * 61
        text = "int first(int a,\n          int b) {\n" + body + "}\n"
        self.assertEqual([(name, length > 60) for name, _, length in functions(text)], [("first", True)])
        nested = "class Any {\n  void second() {\n    if (a) {\n      say();\n    }\n" + body + "  }\n};\n"
        self.assertEqual([(name, length > 60) for name, _, length in functions(nested)], [("second", True)])

    def test_a_header_says_first_what_it_is_for(self):
        for file in sources():
            if file.suffix == ".h":
                self.assertTrue(file.read_text().startswith("// "), f"{file}: begins without a comment")

    def test_verbs_print_by_output_h_only(self):
        """It escapes what steers a terminal and notices what could not be written."""
        to_a_stream = re.compile(r"std::(printf|puts|fputs|fprintf|fwrite|cout|cerr)\b|fmt::print\b")
        for file in sources():
            if room_of(file) == "tools" and file.name != "output.cpp":
                self.assertIsNone(to_a_stream.search(file.read_text()), file)

    def test_what_a_comment_calls_a_precondition_is_checked(self):
        """In the file, in its .cpp, or, where it has none, in a file of its folder that includes it."""
        for file in tracked():
            if file.suffix not in (".h", ".cpp") or "Precondition:" not in file.read_text():
                continue
            path = file.relative_to(ROOT).as_posix()
            places = [file, file.with_suffix(".cpp")]
            if not places[1].exists():
                places += [f for f in file.parent.glob("*.cpp") if path in dict(map(reversed, includes(f)))]
            checked = sum(f.read_text().count("precondition(") for f in set(places) if f.exists())
            self.assertGreaterEqual(checked, file.read_text().count("Precondition:"), f"{path}: precondition.h checks them")

    def test_the_headers_of_cloudevents_are_written_in_one_place(self):
        writers = [f.name for f in sources() if re.search(r'"ce_specversion", "1\.0"', f.read_text())]
        self.assertEqual(writers, ["cloudevent_headers.h"])

    def test_whole_numbers_are_read_in_one_place(self):
        """Two files read fractions."""
        readers = {f.name for f in sources() if re.search(r"\b(from_chars|strto\w+|sto[ilfdu]\w*|ato[ilf]\w*)\(", f.read_text())}
        self.assertEqual(readers, {"number.h", "sampling.cpp", "drive_pace.cpp"})

    def test_the_id_of_an_event_is_taken_apart_in_one_place(self):
        """derived_id.cpp does that to ids of payment sessions and reservations."""
        takers = {f.name for f in sources() if "rfind('-')" in f.read_text()}
        self.assertEqual(takers, {"event_id.h", "derived_id.cpp"})

    def test_the_version_is_written_in_one_place(self):
        version = re.search(r"^project\(mayfly VERSION (\S+) ", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]
        self.assertEqual([f.name for f in sources() if f'"{version}' in f.read_text()], [])

    def test_a_lambda_captures_a_binding_by_another_name(self):
        """clang before 16 cannot capture a structured binding itself; later ones say that `p = p` shadows it."""
        same = re.compile(r"\[[^]\n]*\b(\w+) = \1\b[^]\n]*\] ?\(")
        self.assertRegex("[&log, p = p](int)", same)
        self.assertEqual([f.name for f in tracked() if f.suffix in (".h", ".cpp") and same.search(f.read_text())], [])

    def test_nothing_is_left_to_do_and_no_line_ends_in_space(self):
        for file in tracked():
            if file.suffix not in (".h", ".cpp", ".py", ".md", ".txt") or file == pathlib.Path(__file__):
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                self.assertIsNone(SPELLING.search(line), f"{file}:{number}")
                self.assertEqual(line, line.rstrip(), f"{file}:{number} ends in space")


if __name__ == "__main__":
    unittest.main()
