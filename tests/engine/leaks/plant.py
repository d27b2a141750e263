"""Copies of actors' sources with leaks behind a switch, for the table of leaks: plant.py ACTORS TARGET."""
import pathlib
import sys

#(file, a line of its code, what is put behind it)
PLACES = (
    ("cart_actor.cpp", "  if (!awake_) wake();\n", '  leaks::leak_here("cart.id", memory_.of(0));\n'),
    ("cart_actor.cpp", "    evolve(cart_, event, context);\n", '    leaks::leak_here("cart.lines", memory_.of(1));\n'),
    ("cart_actor.cpp", "    append_session(written, *opened);\n",
     '    leaks::happened(leaks::What::session);\n    leaks::leak_here("cart.payment", memory_.of(3));\n'),
    ("cart_actor.cpp", "    remember(cart_, task->read.command.fingerprint);\n",
     '    leaks::leak_here("cart.dedupe", memory_.of(4));\n'),
    ("cart_actor.cpp", "  if (!session_) return;\n",
     '  static std::vector<caf::actor> kept;\n  if (leaks::keeps("session.actor")) {\n'
     "    kept.push_back(std::exchange(session_, nullptr));\n    return;\n  }\n"),
    ("session_actor.cpp", "  evolve(session_, task->by_session);\n", '  leaks::leak_here("session.texts", memory_.of(0));\n'),
    ("partition_carts.cpp", "  auto& kept = state_->carts.keep(entry, wait, last.outcome.cart, session);\n",
     '  leaks::leak_here("partition.entries", state_->memory.of(0));\n'),
    ("partition_carts.cpp", "  state_->list_wait(kept);\n", '  leaks::leak_here("partition.deadlines", state_->memory.of(3));\n'),
    ("partition_carts.cpp", "  if (creates_cart(decision.events)) {\n", "    leaks::happened(leaks::What::cart);\n"),
    ("partition_supervision.cpp", "  auto& awake = state_->carts.wake(entry);\n",
     '  leaks::leak_here("partition.awake", state_->memory.of(2));\n'),
    ("partition_supervision.cpp", "  if (awake.actor) {\n",
     '    static std::vector<caf::actor> kept;\n    if (leaks::keeps("cart.actor")) kept.push_back(awake.actor);\n'),
    ("partition_actor.cpp", "    ++batch_->counts.ticks;\n", "    leaks::happened(leaks::What::tick);\n"),
    ("partition_actor.cpp", "  ++batch_->counts.commands;\n", "  leaks::happened(leaks::What::message);\n"),
    ("batch.cpp", "  ++used;\n", '  leaks::leak_here("codec.arena", memory.of(0));\n'),
    ("record_writer.cpp", "  const auto& outcome = task.outcome;\n", '  leaks::leak_here("unaccounted", nullptr);\n'),
)
FILES = sorted({place[0] for place in PLACES})


def main(actors, target):
    target.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        text = next(actors.rglob(file)).read_text()
        for of, line, planted in PLACES:
            if of != file:
                continue
            if text.count(line) != 1:
                sys.exit(f"plant.py: {file} has {text.count(line)} times: {line.strip()}. Adapt the planted leak to the new text.")
            text = text.replace(line, line + planted)
        (target / file).write_text('#include "engine/leaks/planted.h"\n\n#include <vector>\n\n' + text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
