"""What docs/command-line.md says of verbs and exit codes, and what the program's --help says of verbs and options."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "command-line.md"
PATIENCE_S = 300


def cells(line):
    """Of a row of a table; `\\|` in a cell is a bar."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def table(page, heading):
    """The rows of the table whose first cell of the head is `heading`."""
    lines = iter(page.read_text().splitlines())
    for line in lines:
        if line.startswith("|") and cells(line)[0] == heading:
            next(lines)
            rows = []
            for row in lines:
                if not row.startswith("|"):
                    return rows
                rows.append(cells(row))
            return rows
    raise ValueError(f"{page}: no table of {heading}")


def verbs_of(synopsis):
    """'deadletters list|show --log L' -> deadletters list, deadletters show; 'send --log L -' -> send -."""
    words = re.match(r"[a-z]+(?: (?!or\b)[a-z]+(?:\|[a-z]+)*)?(?= |$)", synopsis).group().split(" ")
    verbs = [" ".join([words[0], *second]) for second in ([word] for word in words[1].split("|"))] if len(words) > 1 else [words[0]]
    return [verb + " -" for verb in verbs] if synopsis.endswith(" -") else verbs


def synopses():
    """Verb, and each synopsis that the page has of it."""
    found = {}
    for row in table(PAGE, "verb"):
        for synopsis in re.findall(r"`([^`]+)`", row[0]):
            for verb in verbs_of(synopsis):
                found.setdefault(verb, []).append(synopsis)
    return found


def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout


def options(program, verb):
    """Of a verb, as its --help lists them."""
    words = [] if not verb else verb.split(" ") if verb.startswith("replay ") else verb.split(" ")[:1]
    return set(re.findall(r"(?<![\w-])(--[\w-]+)", "\n".join(re.findall(r"^  (-\S+)", run(program, *words, "--help"), re.M))))


def codes(program):
    """Exit code, and the verbs that the page names for it."""
    verbs = synopses()
    found = {}
    for numbers, of, *_ in table(PAGE, "exit code"):
        named = set()
        for part in of.split(", "):
            option = re.fullmatch(r"all with `(--[\w-]+)`(?: but `([\w -]+)`)?", part)
            if part == "all":
                named |= set(verbs)
            elif option:
                named |= {verb for verb in verbs if option.group(1) in options(program, verb)} - {option.group(2)}
            else:
                named.add(re.fullmatch(r"`([\w -]+)`", part).group(1))
        for number in numbers.split(", "):
            found[int(number)] = named
    return found


def verbs_of_help(program):
    """Verbs, replay's two words each, and deadletters' too, as --help lists them."""
    def listed(*words):
        return re.findall(r"^  ([a-z]+) ", re.split(r"(?i)\nsubcommands:", run(program, *words, "--help"))[1], re.M)

    found = set(listed())
    found |= {f"replay {verb}" for verb in listed("replay")}
    what = re.search(r"^  what .*?\{([\w,]+)\}", run(program, "deadletters", "--help"), re.M).group(1)
    found |= {f"deadletters {verb}" for verb in what.split(",")}
    return found - {"replay", "deadletters"}
