#!/usr/bin/env python3
"""The proxy between engines and brokers in tests outlives every connection that goes through it."""
import os
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from tcp_proxy import Proxy, reset

PATIENCE_S = 300


class Server:
    """Resets each connection at once while `refuses`, else sends back what comes."""

    def __init__(self):
        self.refuses = True
        self.server = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return  # closed
            try:
                if not self.refuses:
                    connection.sendall(connection.recv(100))
            except OSError:
                pass  # it waited to be accepted since the other side was cut
            reset(connection)


class TheProxy(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.server.close)
        self.proxy = Proxy(0, self.server.port)
        self.port = self.proxy.server.getsockname()[1]
        self.addCleanup(self.proxy.close)

    def test_connections_that_end_while_they_begin_are_the_only_ones_that_suffer(self):
        done = threading.Event()
        cutter = threading.Thread(target=self.cut_until, args=(done,))
        cutter.start()
        self.addCleanup(cutter.join)
        self.addCleanup(done.set)
        for _ in range(500):
            client = socket.socket()
            client.settimeout(PATIENCE_S)
            try:
                client.connect(("127.0.0.1", self.port))
                client.recv(1)
            except ConnectionError:
                pass
            reset(client)
        done.set()
        cutter.join()
        self.server.refuses = False
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as client:
            client.sendall(b"hello")
            self.assertEqual(client.recv(100), b"hello")

    def cut_until(self, done):
        while not done.wait(0.002):
            self.proxy.cut(0.001)


if __name__ == "__main__":
    unittest.main(verbosity=2)
