"""What hostile producers and HTTP clients do in hostile_night.py: each kind at its own rate, all in one process. None of it
has a right that docs/security.md calls the harm itself: nobody here knows the secret, acts on another's cart with a
command that is true, or takes part in the engine's group or transactions."""
import contextlib
import itertools
import json
import os
import random
import struct
import threading
import time

import confluent_kafka
import http_hostile
from night_shop import COMMANDS, PAY, STOCK, headers_of

ENGINE = "night"
EVIL = "/shop/evil"
PACE_S = 0.05
LIVE = 5_000  # open carts of the attackers' own, at most: more would be refused, and ordinary ones with them
FLOOD = 2_000
MIB = 1024 * 1024
WORD = 0xFFFFFFFF
MURMUR = 0x5BD1E995


def mixed(word):
    word = word * MURMUR & WORD
    return (word ^ word >> 24) * MURMUR & WORD


def unmixed(word):
    inverse = pow(MURMUR, -1, 1 << 32)
    word = word * inverse & WORD
    return (word ^ word >> 24) * inverse & WORD


def colliding_ids(chance, blocks=15):
    """Two texts of eight bytes per block, either of which takes murmur2 to the same state: 2^blocks ids of one hash, the one
    that chooses a partition and that anybody can compute."""
    letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~!$&'()*+,;=:@"

    def pair():
        while True:
            one = bytes(chance.choices(letters, k=4))
            other = struct.pack("<I", unmixed(mixed(struct.unpack("<I", one)[0]) ^ 0x80000000))
            with contextlib.suppress(UnicodeDecodeError):  # its first byte is never ASCII
                if other.decode().isprintable():
                    return one, other

    halves = [(pair(), pair()) for _ in range(blocks)]
    for bits in itertools.product((0, 1), repeat=blocks):
        yield b"".join(first[bit] + second[bit] for bit, (first, second) in zip(bits, halves)).decode()


class Attacks:
    def __init__(self, brokers, begun, seed):
        self.begun, self.chance, self.number = begun, random.Random(seed), itertools.count()
        self.run_id = f"{seed:x}-{os.getpid()}"
        self.counts, self.mine = {}, []
        self.producer = confluent_kafka.Producer({"bootstrap.servers": brokers, "partitioner": "murmur2_random", "linger.ms": 5, "compression.codec": "lz4",
                                                  "message.max.bytes": 20 * MIB, "queue.buffering.max.messages": 200_000, "queue.buffering.max.kbytes": 200 * 1024, "log_level": 0})
        self.bomber = confluent_kafka.Producer({"bootstrap.servers": brokers, "partitioner": "murmur2_random", "linger.ms": 200, "compression.codec": "zstd",
                                                "message.max.bytes": 1_000_000_000, "batch.size": 900_000_000, "queue.buffering.max.kbytes": 1_000_000, "log_level": 0})
        self.partitions = len(self.producer.list_topics(COMMANDS, timeout=20).topics[COMMANDS].partitions)
        self.colliding = itertools.cycle(colliding_ids(self.chance))

    def put(self, attack, key, value, headers, partition=None):
        with contextlib.suppress(BufferError):  # full: what a flood cannot send it does not send
            where = {} if partition is None else {"partition": partition}
            self.producer.produce(COMMANDS, key=key, value=value, headers=headers, **where)
            self.counts[attack] = self.counts.get(attack, 0) + 1

    def command(self, attack, cart, kind, data, source=EVIL, number=None):
        self.put(attack, cart, json.dumps(data), headers_of(kind, number or f"{self.run_id}-{next(self.number)}", source))

    def cart(self, attack, lines, cart=None):
        """A cart of the attackers' own; the oldest is canceled where there are too many."""
        cart = cart or f"evil-{self.run_id}-{next(self.number)}"
        self.command(attack, cart, "cart.create", {"currency": "GBP"})
        for n in range(lines):
            self.command(attack, cart, "cart.add_line", {"sku": f"{n:05}-{'x' * 20}", "quantity": 1, "unit_price_minor": 1, "name": "n" * 60, "line_id": f"{n}"})
        self.mine.append(cart)
        if len(self.mine) > LIVE:
            self.command(attack, self.mine.pop(0), "cart.cancel", {})
        return cart

    def ordinary(self, phase="hostile"):
        """An ordinary cart that is in its checkout just now."""
        return f"ordinary-{phase}-{max(0, self.begun.value - 1 - self.chance.randrange(40))}"

    # --- kinds, each one turn ------------------------------------------------------------------------------------------

    def large_records(self):
        shape = self.chance.randrange(5)
        cart, headers = f"large-{next(self.number)}", headers_of("cart.create", "large", EVIL)
        if shape == 0:
            self.put("large records", cart, os.urandom(1_060_000), headers)
        elif shape == 1:
            self.put("large records", cart, b"1 " * (3 * MIB // 2), headers)  # compresses well, and is what masking looks at longest
        elif shape == 2:
            self.put("large records", cart, b"{}", headers + [("x", os.urandom(1_000_000))])
        elif shape == 3:
            self.put("large records", cart, b"{}", headers + [(f"h{n}", b"x") for n in range(20_000)])
        else:
            self.put("large records", os.urandom(1_000_000), b"{}", headers, partition=self.chance.randrange(self.partitions))

    def bombs(self):
        """A batch of some KB that comes to 150 MiB, more than librdkafka unpacks."""
        for _ in range(150):
            with contextlib.suppress(BufferError):
                self.bomber.produce(COMMANDS, key=f"bomb-{self.run_id}", value=bytes(MIB))
        self.bomber.flush(30)
        self.counts["batches that cannot be unpacked"] = self.counts.get("batches that cannot be unpacked", 0) + 1

    def forged_ticks(self):
        now = time.gmtime()
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", now)
        settings = {"admission_closed": True, "live_carts": 0, "cart_life_s": 1, "cart_idle_s": 1, "reservation_wait_s": 1, "reply_sources": "", "tick_secret": 0}
        data = {"at": at, "through": 1 << 40, "settings": settings}
        if self.chance.random() < 0.3:
            data = {"at": at, "through": -1, "release": self.ordinary()}
        source = self.chance.choice((f"/mayfly/{ENGINE}", "/mayfly/deadletters", "/mayfly/other", EVIL))
        headers = headers_of("clock.tick", f"tick-{next(self.number)}", source)
        if self.chance.random() < 0.7:
            headers.append(("ce_proof", self.chance.choice(("0" * 64, "f" * 64, "x" * 64, ""))))
        key = self.ordinary() if self.chance.random() < 0.2 else None
        self.put("forged ticks", key, json.dumps(data), headers, partition=self.chance.randrange(self.partitions))

    def forged_replies(self):
        """With the engine's source, or none that may answer, on ordinary carts; with a connector's own on what never was."""
        cart = self.ordinary()
        money = {"session_id": f"{cart}-p1", "reference": "forged", "amount_minor": self.chance.choice((0, 1, 1996, 10**15)), "currency": "GBP"}
        replies = (("payment.captured", money), ("payment.authorized", money), ("payment.canceled", money), ("payment.refunded", money),
                   ("payment.declined", {"session_id": f"{cart}-p1", "reason": "forged", "retryable": False}),
                   ("inventory.rejected", {"reservation_id": f"{cart}-r1", "skus": [], "reason": "forged"}))
        kind, data = self.chance.choice(replies)
        self.command("forged replies", cart, kind, data, self.chance.choice((EVIL, f"/mayfly/{ENGINE}", "/pay", "/stock/night/")))
        kind, data = self.chance.choice(replies)
        self.command("forged replies", f"never-{next(self.number)}", kind, data, self.chance.choice((PAY, STOCK)))
        if self.mine:
            self.command("forged replies", self.chance.choice(self.mine), kind, data, PAY)

    def flood(self):
        """As many bad records at once as go into a queue."""
        number = str(next(self.number))
        good = headers_of("cart.create", number, EVIL)
        bad = (("", b"", []), (None, None, []), (None, b"{}", good), ("k", b"{" * 60_000, good), ("k", b"\xff" * 100, good), ("k", b"[]", good),
               ("k\x1b[2J\n", b"{}", good), ("k" * 129, b"{}", good), ("k", b"1 " * 30_000, good), ("k", b'{"currency":"GBP"}', headers_of("no.such", number, EVIL)),
               ("k", b'{"currency":"GBP"}', good + [("ce_subject", b"other")]), ("k", b'{"a":' + b"[" * 5_000, good), ("k", b"4111 1111 1111 1111 " * 500, good),
               ("k", b"{}", [("ce_specversion", b"\x1b]0;x\x07")]), ("k", b"{}", good + [("mayfly.retry_of", b"0-0"), ("mayfly.redriven", b"9" * 30)]))
        for n in range(FLOOD):
            key, value, headers = bad[n % len(bad)]
            self.put("bad records", key, value, headers, partition=None if n % 3 else self.chance.randrange(self.partitions))

    def collisions(self):
        for _ in range(50):
            self.cart("colliding ids", 1, next(self.colliding))

    def merges(self):
        one, other = self.cart("merges", 60), self.cart("merges", 60)
        self.command("merges", one, "cart.merge", {"into": other})
        if self.chance.random() < 0.5:
            self.command("merges", other, "cart.merge", {"into": one})
        self.command("merges", self.cart("merges", 2), "cart.merge", {"into": f"never-{next(self.number)}"})

    def own_types(self):
        """What only an engine writes, with and without its source and the form of its ids."""
        source = self.chance.choice((f"/mayfly/{ENGINE}", EVIL))
        number = self.chance.choice((f"0-{self.chance.randrange(1 << 40)}-1", "99999999999-1-1", "free"))
        mine = self.chance.choice(self.mine) if self.mine else "evil"
        lines = [{"sku": f"s{n}", "quantity": 1, "unit_price_minor": 1, "name": "n" * 200} for n in range(self.chance.choice((0, 1, 200)))]
        offer = {"from": mine, "merge": self.chance.randrange(1 << 20), "currency": "GBP", "lines": lines}
        answer = {"from": mine, "merge": self.chance.randrange(1 << 20), "code": self.chance.choice(("cart_full", "no_such_code"))}
        for kind, data in (("cart.merge_offered", offer), ("cart.merge_answered", answer), ("order.placed", {}), ("cart.converted", {"order_id": "o-x"}), ("cart.add_line", {"sku": "A", "quantity": 1, "unit_price_minor": 1})):
            self.command("the engine's own types", mine, kind, data, source, number)

    def full_carts(self):
        """Each command of a few bytes writes a state record of some 300 KB."""
        if not hasattr(self, "full"):
            self.full = [self.cart("edits of full carts", 2_000) for _ in range(2)]
        self.command("edits of full carts", self.chance.choice(self.full), "cart.change_quantity", {"sku": f"{0:05}-{'x' * 20}", "line_id": "0", "quantity": self.chance.randrange(1, 1000)})

    RATES = ((bombs, 0.02), (large_records, 2), (forged_ticks, 50), (forged_replies, 50), (flood, 0.3), (collisions, 2), (merges, 1), (own_types, 20), (full_carts, 5))  # turns a second

    def run(self, until, only):
        rates = [(kind, rate) for kind, rate in self.RATES if only in (None, kind.__name__)]
        begun, made = time.monotonic(), [0] * len(rates)
        while (now := time.monotonic()) < until:
            for place, (kind, rate) in enumerate(rates):
                for _ in range(min(int(rate * (now - begun)) - made[place], 10)):
                    kind(self)
                    made[place] += 1
            self.producer.poll(PACE_S)
        self.producer.flush(30)


# --- HTTP --------------------------------------------------------------------------------------------------------------

def endless(port, begin, more, until):
    """Sends on and on until it is cut off."""
    with contextlib.suppress(OSError), http_hostile.connect(port) as connection:
        connection.sendall(begin)
        while time.monotonic() < until:
            connection.sendall(more)


def odd_requests(port, until):
    host, made = http_hostile.HOST, 0
    ranges = b"Range: bytes=" + b",".join(b"%d-" % n for n in range(1_500)) + b"\r\n"
    while time.monotonic() < until:
        endless(port, b"GET /", b"a" * 65536, until)
        endless(port, b"GET /tree HTTP/1.1\r\n" + host + b"X: ", b"a" * 65536, until)
        endless(port, b"POST /renew HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n", b"ffff\r\n" + b"a" * 0xFFFF + b"\r\n", until)
        for path, more in ((b"/", ranges), (b"/metrics", ranges)):
            with contextlib.suppress(OSError):
                http_hostile.ask(port, path, more)
        with contextlib.suppress(OSError), http_hostile.connect(port) as connection:
            connection.sendall(b"POST /renew HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n")
            connection.recv(100)
        made += 6
        time.sleep(PACE_S)
    return made


def http_clients(port, until, counts):
    """One attack after the other, each for some seconds."""
    attacks = dict(http_hostile.ATTACKS, **{"endless requests, ranges, another's host": odd_requests})
    for name, attack in itertools.cycle(attacks.items()):
        if time.monotonic() >= until:
            return
        name = "HTTP: " + name
        with contextlib.suppress(OSError):
            counts[name] = counts.get(name, 0) + attack(port, min(until, time.monotonic() + 10))


def run(brokers, begun, port, seconds, seed, only, told):
    """A process of its own; how much it did goes into the queue `told`."""
    os.nice(5)
    http_hostile.CLIENT = "127.0.0.2"
    attacks = Attacks(brokers, begun, seed)
    until = time.monotonic() + seconds
    http = threading.Thread(target=http_clients, args=(port, until if only in (None, "http") else 0, attacks.counts))
    http.start()
    attacks.run(until, only)
    http.join()
    told.put(attacks.counts)
