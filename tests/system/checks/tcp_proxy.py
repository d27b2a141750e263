"""A TCP proxy on loopback whose network can be made bad: stalled, slow, or cut. One thread each way and connection."""
import socket
import struct
import threading
import time

CHUNK_BYTES = 64 * 1024


class Proxy:
    """Passes connections to `listen` (0: a free port, of `server`) on to `target`, both ports on 127.0.0.1, until `close`."""

    def __init__(self, listen, target):
        self.target = target
        self.flows = threading.Event()
        self.flows.set()
        self.is_cut = False
        self.delay_s = 0.0
        self.sockets, self.lock = set(), threading.Lock()
        self.server = socket.create_server(("127.0.0.1", listen))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except ConnectionError:
                continue  # it has gone already
            except OSError:
                return  # closed
            self.join(client)

    def join(self, client):
        """From here on either both ends are in `sockets`, each with its pump, or the client's connection is reset."""
        broker = None
        try:
            broker = socket.create_connection(("127.0.0.1", self.target))
            for s in (client, broker):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:  # the broker is away, or the client
            reset(client)
            if broker:
                reset(broker)
            return
        with self.lock:  # which a cut takes too: it sees this connection, or this sees the cut
            if self.is_cut:
                reset(client)
                reset(broker)
                return
            self.sockets |= {client, broker}
        for source, sink in ((client, broker), (broker, client)):
            threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(CHUNK_BYTES):
                if self.delay_s:
                    time.sleep(self.delay_s)
                self.flows.wait()
                sink.sendall(data)
        except OSError:
            pass  # the other way's pump, or a cut, has closed them
        with self.lock:
            self.sockets -= {source, sink}
        for s in (source, sink):
            reset(s)

    def stall(self, seconds):
        """Connections stay open, nothing passes; what was sent meanwhile arrives afterwards."""
        self.flows.clear()
        time.sleep(seconds)
        self.flows.set()

    def delay(self, seconds, by_s):
        """Each piece of what is sent waits, both ways."""
        self.delay_s = by_s
        time.sleep(seconds)
        self.delay_s = 0.0

    def cut(self, seconds):
        """Connections are reset, new ones too."""
        self.is_cut = True
        self.reset_all()
        time.sleep(seconds)
        self.is_cut = False

    def reset_all(self):
        with self.lock:
            for s in self.sockets:
                reset(s)

    def close(self):
        self.server.close()
        self.is_cut = True
        self.flows.set()
        self.reset_all()


def reset(s):
    """Ends the connection, with RST where nothing was sent in vain, waking who reads from it."""
    try:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    s.close()
