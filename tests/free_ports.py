"""Prints a port that is free together with the next one: a broker and its controller take both."""
import socket


def free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


while True:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if port < 65535 and free(port) and free(port + 1):
        print(port)
        break
