"""What Mayfly promises over HTTP, compared with its log: every acknowledged command is decided once, every Idempotency-Key is
answered alike, every batch has an answer for each of its commands and keeps their order, every webhook comes at least once and of each cart in order. Shares no code with the program.

`answers` are (key, status, body) of requests that were answered; `hooks` what an address saw, in order: ("came" or
"taken", event id); `wanted` the types that are delivered to it; `batches` are answered ones: (cart of each command, key of each,
status of the whole, results), whose results are in `answers` too. `commands` and `events` are records of the log.
"""
import collections

import sqlite_log

UNDECIDED = {202, 503}  # durable and not decided yet; or not even durable


def findings(commands, events, answers, hooks, wanted, batches=()):
    """A sentence for each broken promise."""
    events = list(events)
    return (decided_once(commands, events, answers) + answered_alike(answers) + delivered(events, hooks, wanted) +
            answered_each(batches) + in_order(commands, answers, batches))


def decided_once(commands, events, answers):
    positions = collections.defaultdict(set)  # of a command's id: where it lies in the log
    for record in commands:
        of = sqlite_log.attributes(record)
        positions[of.get("ce_source", ""), of.get("ce_id", "")].add((record.partition, record.offset))
    said = collections.defaultdict(set)  # by the position of the command that caused them
    for event in events:
        partition, offset, _ = event.headers["ce_id"].split("-")
        said[int(partition), int(offset)].add(sqlite_log.short_type(event.headers["ce_type"]))
    wrong, decided = [], set()
    for (source, key), places in positions.items():
        if not source.startswith("/front"):
            continue  # replies are not remembered by their id: totals and books say whether they count once
        if any(said[place] for place in places):
            decided.add(key)
        deciding = [place for place in places if said[place] - {"command.rejected"}]
        if len(deciding) > 1:
            wrong.append(f"{source} {key} was decided {len(deciding)} times: " + "; ".join(f"{place}: {sorted(said[place])}" for place in sorted(deciding)))
    acknowledged = {key for key, status, _ in answers if status != 503}
    wrong += [f"{key} was acknowledged and never decided" for key in sorted(acknowledged - decided)]
    return wrong


def answered_alike(answers):
    alike = collections.defaultdict(set)
    for key, status, body in answers:
        if status not in UNDECIDED:
            alike[key].add((status, body.get("title") or tuple(event["id"] for event in body.get("events", ()))))
    return [f"{key} was answered in {len(of)} ways: {sorted(of, key=str)}" for key, of in alike.items() if len(of) > 1]


def delivered(events, hooks, wanted):
    before, cart_of = {}, {}  # of an event: its cart's wanted one before it
    newest = {}
    for event in events:  # of each partition in order, and so of each cart
        if sqlite_log.short_type(event.headers["ce_type"]) in wanted:
            name = event.headers["ce_id"]
            before[name], cart_of[name] = newest.get(event.key), event.key
            newest[event.key] = name
    wrong, taken = [], set()
    for what, name in hooks:
        if name not in before:
            wrong.append(f"{name} was delivered and is no event of the log that was asked for")
        elif what == "taken":
            taken.add(name)
        elif before[name] and before[name] not in taken:
            wrong.append(f"{name} of {cart_of[name]} came before {before[name]} was taken")
    return wrong + [f"{name} of {cart_of[name]} was never delivered" for name in before if name not in taken]


def answered_each(batches):
    """Each command has its answer, at its place, and the status of the whole is what they come to."""
    wrong = []
    for carts, keys, status, results in batches:
        # What was not looked at, since its key was in flight, does not name its cart.
        if len(results) != len(carts) or any(result.get("cart", cart) != cart for cart, result in zip(carts, results)):
            wrong.append(f"the batch from {keys[0]} to {keys[-1]} has answers for other commands than its own")
            continue
        statuses = [503 if result.get("title") == "request_in_flight" else result["status"] for result in results]
        refused = any(of >= 400 for of in statuses)
        right = 503 if 503 in statuses else 207 if refused else 202 if 202 in statuses else 200
        if status != right:
            wrong.append(f"the batch from {keys[0]} to {keys[-1]} has status {status}, and {sorted(set(statuses))} of its commands come to {right}")
    return wrong


def in_order(commands, answers, batches):
    """A cart's commands were first appended in the order of their batch, those aside that were refused for the moment."""
    first = {}  # of a key: where it lies in the log first
    for record in commands:
        of = sqlite_log.attributes(record)
        if of.get("ce_source", "").startswith("/front"):
            first.setdefault(of["ce_id"], (record.partition, record.offset))
    passing = {key for key, status, _ in answers if status == 503}
    wrong = []
    for carts, keys, *_ in batches:
        for cart in dict.fromkeys(carts):
            of_cart = [key for key, its in zip(keys, carts) if its == cart and key in first and key not in passing]
            wrong += [f"{later} of a batch lies before {key}" for key, later in zip(of_cart, of_cart[1:]) if first[later] < first[key]]
    return sorted(set(wrong))
