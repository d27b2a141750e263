"""http_promises.py finds what it is there to find: each broken promise is planted once in what is whole."""
import unittest

import http_promises
import sqlite_log


class HttpPromises(unittest.TestCase):
    """One cart whose command came twice, was answered twice, and led to two webhooks, and a batch that was answered twice; a fault is
    planted in it."""

    def setUp(self):
        def command(offset, key):
            return sqlite_log.Record("commands", 0, offset, "c1", {"ce_id": key, "ce_source": "/front/anonymous", "ce_type": "dev.mayfly.cart.create.v1"}, {}, b"")

        def event(offset, name, of):
            return sqlite_log.Record("events", 0, offset, "c1", {"ce_id": of, "ce_type": f"dev.mayfly.{name}.v1"}, {}, b"")

        self.commands = [command(0, "k1"), command(1, "k1"), command(2, "k2")]
        self.events = [event(0, "cart.created", "0-0-0"), event(1, "order.placed", "0-2-0"), event(2, "cart.converted", "0-2-1")]
        first = {"decided": True, "events": [{"id": "0-0-0"}]}
        self.answers = [("k1", 202, {}), ("k1", 200, first), ("k1", 200, {**first, "repeated": True}), ("k2", 200, {"events": [{"id": "0-2-0"}]})]
        self.hooks = [("came", "0-2-0"), ("came", "0-2-0"), ("taken", "0-2-0"), ("came", "0-2-1"), ("taken", "0-2-1"), ("came", "0-2-0")]

        first_result, second_result = {"cart": "c1", "status": 200}, {"cart": "c1", "status": 409, "title": "cart_ended"}
        in_flight = {"status": 409, "title": "request_in_flight"}
        self.batches = [(("c1", "c1"), ("k1", "k2"), 207, [first_result, second_result]), (("c1", "c1"), ("k1", "k2"), 503, [first_result, in_flight])]

    def found(self):
        return http_promises.findings(self.commands, self.events, self.answers, self.hooks, {"order.placed", "cart.converted"}, self.batches)

    def test_what_is_whole_has_no_finding(self):
        self.assertEqual(self.found(), [])

    def test_each_broken_promise_is_found(self):
        def decided_twice():
            self.events.append(self.events[0]._replace(offset=3, headers={**self.events[0].headers, "ce_id": "0-1-0"}))

        def lost():
            self.answers.append(("k3", 202, {}))

        def answered_otherwise():
            self.answers.append(("k1", 409, {"title": "cart_exists"}))

        def other_events():
            self.answers.append(("k1", 200, {"events": []}))

        def never_delivered():
            del self.hooks[4]

        def overtaken():
            self.hooks.append(self.hooks.pop(2))

        def of_nowhere():
            self.hooks.append(("came", "0-9-0"))

        def shorter_answer():
            del self.batches[0][3][1]

        def other_cart():
            self.batches[0][3][1]["cart"] = "c2"

        def other_whole():
            self.batches[0] = (*self.batches[0][:2], 200, self.batches[0][3])

        def out_of_order():
            self.batches = [(carts, keys[::-1], *rest) for carts, keys, *rest in self.batches]

        faults = {shorter_answer: "the batch from k1 to k2 has answers for other commands", other_cart: "the batch from k1 to k2 has answers for other commands",
                  other_whole: "the batch from k1 to k2 has status 200",
                  out_of_order: "k1 of a batch lies before k2", decided_twice: "/front/anonymous k1 was decided 2 times", lost: "k3 was acknowledged and never decided",
                  answered_otherwise: "k1 was answered in 2 ways", other_events: "k1 was answered in 2 ways",
                  never_delivered: "0-2-1 of c1 was never delivered", overtaken: "0-2-1 of c1 came before 0-2-0 was taken",
                  of_nowhere: "0-9-0 was delivered and is no event"}
        for plant, expected in faults.items():
            with self.subTest(plant.__name__):
                self.setUp()
                plant()
                found = self.found()
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(expected), found)


if __name__ == "__main__":
    unittest.main()
