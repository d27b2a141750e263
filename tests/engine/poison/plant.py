"""Copies of actors' sources whose handlers misbehave where a command says so (poison.h): plant.py ACTORS TARGET."""
import pathlib
import sys

# (file, the text behind which the poison is taken, for which word)
PLACES = (
    ("cart_actor.cpp", "  if (environment_.before_decide) environment_.before_decide(cart_.id, task->record->at);\n", "poison"),
    ("session_actor.cpp", "  const Deciding deciding(*environment_.flight, task->record->at, task->read.cart_id);\n", "poison-session"),
)


def main(actors, target):
    target.mkdir(parents=True, exist_ok=True)
    for file, place, word in PLACES:
        text = next(actors.rglob(file)).read_text()
        if text.count(place) != 1:
            sys.exit(f"plant.py: {file} has {text.count(place)} times: {place.strip()}. Adapt the place to the new text.")
        text = text.replace(place, place + f'  poison::take("{word}:", *task->record);\n')
        (target / file).write_text('#include "engine/poison/poison.h"\n' + text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
