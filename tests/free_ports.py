"""Free ports on loopback; as a script prints one that is free together with the next: a broker and its controller."""
import socket


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def one():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pair():
    while True:
        port = one()
        if port < 65535 and is_free(port) and is_free(port + 1):
            return port


if __name__ == "__main__":
    print(pair())
