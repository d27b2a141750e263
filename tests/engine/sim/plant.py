"""Copies of actors' sources with bugs behind a switch, for the test of the simulation: plant.py ACTORS TARGET."""
import pathlib
import sys

# (file, the text that is right, what the bug makes of it); numbers as in stormy_log.h's Bug.
BUGS = (
    ("partition_supervision.cpp", "    begin_wait_again(*entry, record.at.offset);\n",
     "    if (sim::planted_bug != 8) begin_wait_again(*entry, record.at.offset);\n"),
    ("cart_actor.cpp", "  end_session(session_);\n",
     "  static std::vector<caf::actor> kept;\n  if (sim::planted_bug == 9) kept.push_back(session_);\n"
     "  if (sim::planted_bug != 9) end_session(session_);\n"),
    ("cart_actor.cpp", "  task->outcome.clear();\n", "  if (sim::planted_bug != 10) task->outcome.clear();\n"),
)


def main(actors, target):
    texts = {}
    for file, right, wrong in BUGS:
        text = texts.setdefault(file, next(actors.rglob(file)).read_text())
        if text.count(right) != 1:
            sys.exit(f"plant.py: {file} has {text.count(right)} times: {right.strip()}. Adapt the planted bug to the new text.")
        texts[file] = text.replace(right, wrong)
    target.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        switch = "#include <vector>\n\nnamespace mayfly::sim {\nextern int planted_bug;\n}\n\nnamespace mayfly::actors {"
        (target / file).write_text(text.replace("namespace mayfly::actors {", switch, 1))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
