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
LONGEST_FILE_LINES = 400
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

    def test_a_forbidden_include_is_refused(self):
        for room, name in [("events", "actors/engine.h"), ("actors", "adapters/memory_log.h"), ("adapters", "actors/task.h")]:
            self.assertIsNotNone(includes_refused(room, "any.cpp", '"', name))
        for room, name in [("events", "caf/all.hpp"), ("events", "thread"), ("actors", "sqlite3.h"), ("adapters", "caf/actor.hpp")]:
            self.assertIsNotNone(includes_refused(room, "any.cpp", "<", name))

    def test_files_are_short_and_have_names_of_the_field(self):
        for file in sources():
            self.assertLessEqual(len(file.read_text().splitlines()), LONGEST_FILE_LINES, file)
            self.assertIsNone(FORBIDDEN_NAMES.search(file.name), file)

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

    def test_nothing_is_left_to_do_and_no_line_ends_in_space(self):
        for file in tracked():
            if file.suffix not in (".h", ".cpp", ".py", ".md", ".txt") or file == pathlib.Path(__file__):
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                self.assertIsNone(SPELLING.search(line), f"{file}:{number}")
                self.assertEqual(line, line.rstrip(), f"{file}:{number} ends in space")


if __name__ == "__main__":
    unittest.main()
