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
    "events": {"simdjson.h": {"json_reader.cpp"}, "sodium/": {"identity.cpp"}, "uuid/": {"identity.cpp"}},
    "actors": {"caf/": None},
    "adapters": {"sqlite3.h": None, "librdkafka/": None, "boost/": {"http_server.cpp", "http_client.cpp"}},
    "tools": {"spdlog/": None, "fmt/": None, "nlohmann/": None, "CLI/": {"main.cpp"}, "toml++/": {"config.cpp"}, "zstd.h": {"retail.cpp"}},
}
SYSTEM = {
    "actors": {"pthread.h"},
    "adapters": {"arpa/inet.h", "fcntl.h", "unistd.h", "sys/file.h", "sys/mman.h", "sys/socket.h", "sys/stat.h", "sys/statvfs.h", "sys/types.h", "sys/un.h"},
    "tools": {"unistd.h", "signal.h", "pthread.h", "fcntl.h", "locale.h", "poll.h"},
}
NOT_PURE = {"thread", "mutex", "fstream", "iostream", "ctime", "random", "filesystem", "condition_variable", "future"}
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|impl|common)(_|\.|$)")
LONGEST_FILE_LINES = 400
SPELLING = re.compile(r"\b(TODO|FIXME|XXX:)\b")


def tracked():
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / n for n in names if n and (ROOT / n).exists()]


def sources():
    return [f for f in tracked() if f.parent.name in ROOMS and f.parent.parent == ROOT and f.suffix in (".h", ".cpp")]


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


class HouseRules(unittest.TestCase):
    def test_a_room_includes_only_what_it_may(self):
        for file in sources():
            for mark, name in includes(file):
                refused = includes_refused(file.parent.name, file.name, mark, name)
                self.assertIsNone(refused, f"{file.relative_to(ROOT)}: {refused}")

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
            if file.parent.name == "tools" and file.name != "output.cpp":
                self.assertIsNone(to_a_stream.search(file.read_text()), file)

    def test_nothing_is_left_to_do_and_no_line_ends_in_space(self):
        for file in tracked():
            if file.suffix not in (".h", ".cpp", ".py", ".md", ".txt") or file == pathlib.Path(__file__):
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                self.assertIsNone(SPELLING.search(line), f"{file}:{number}")
                self.assertEqual(line, line.rstrip(), f"{file}:{number} ends in space")


if __name__ == "__main__":
    unittest.main()
