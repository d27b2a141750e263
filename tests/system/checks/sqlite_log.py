"""The SQLite file of the embedded log, read as docs/log.md and docs/state-format.md describe it. For the checks here.

All that they know of tables, blobs and layouts stands in this file. Reads only; shares no code with the engine.
"""
import collections
import json
import sqlite3

Record = collections.namedtuple("Record", "stream partition offset key headers data value")

STREAMS = ("commands", "events", "state", "deadletters", "alerts")  # as numbered in the table of ends

# Streams are tables of records; state is one of the newest record per key, its value NULL for a tombstone.
STREAM_ROWS = "SELECT partition, offset, key, headers, value FROM {stream} ORDER BY partition, offset"
STATE_ROWS = "SELECT partition, key, value FROM state ORDER BY partition, key"
POSITION_ROWS = "SELECT partition, next FROM positions"
END_ROWS = "SELECT partition, next FROM ends WHERE stream = ?"
EXTENT_ROWS = "SELECT partition, min(offset), max(offset), count(*) FROM {stream} GROUP BY partition"


class NotReady(Exception):
    """There is no log to read (yet)."""


def varint(blob, at):
    value = shift = 0
    while True:
        byte = blob[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def headers_in(blob):
    """Header names and values in turn, each behind its length."""
    texts, at = [], 0
    while at < len(blob or b""):
        size, at = varint(blob, at)
        texts.append(blob[at : at + size].decode("utf-8", "replace"))
        at += size
    return dict(zip(texts[::2], texts[1::2]))


def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def json_in(value):
    try:
        return json.loads(value) if value is not None else None
    except ValueError:
        return None


def short_type(ce_type):
    return ce_type.removeprefix("dev.mayfly.").removesuffix(".v1")


def attributes(record):
    """CloudEvents attributes as `ce_` headers, of structured mode too."""
    if "ce_type" in record.headers or not isinstance(record.data, dict):
        return record.headers
    return {"ce_" + name: value for name, value in record.data.items() if isinstance(value, str) and name != "data"}


def position_in(value):
    """`next` of a position record, layout 1."""
    if value[0] != 1:
        raise ValueError(f"position record of layout {value[0]}: this check reads 1")
    return varint(value, 1)[0]


def cart_in(value):
    """(sequence, whether a session's part follows) of a cart's state record, headers and carts 1 to 3."""
    header_bytes = 16
    if value[0] == 3 and value[1] & 0x20:  # what supervision remembers
        flags, header_bytes = value[header_bytes], header_bytes + 1
        for _ in range((flags & 0x0F) + (flags >> 7)):
            _, header_bytes = varint(value, header_bytes)
    if value[0] not in (1, 2, 3) or value[header_bytes] not in (1, 2, 3):
        raise ValueError(f"state record of layout {value[0]}: this check reads 1 to 3")
    at = header_bytes + 2
    for _ in range(3):  # created partition, offset, time
        _, at = varint(value, at)
    return varint(value, at)[0], bool(value[1] & 0x40)


class SqliteLog:
    def __init__(self, path):
        try:
            # Not mode=ro: after a kill the next to open has to recover the write-ahead log.
            self.connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30)
            self.connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise NotReady(str(error)) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def _rows(self, sql, *values):
        return self.connection.execute(sql, values)

    def _records(self, stream):
        for partition, offset, key, headers, value in self._rows(STREAM_ROWS.format(stream=stream)):
            yield Record(stream, partition, offset, text(key), headers_in(headers), json_in(value), value)

    def events(self):
        return self._records("events")

    def commands(self):
        return self._records("commands")

    def dead_letters(self):
        return self._rows("SELECT count(*) FROM deadletters").fetchone()[0]

    def state(self):
        """(partition, key, value) of each key, the newest; None for a tombstone."""
        for partition, key, value in self._rows(STATE_ROWS):
            yield partition, text(key), value

    def positions(self):
        """The next offset to decide, by partition."""
        return dict(self._rows(POSITION_ROWS))

    def ends(self, stream):
        """The offset behind the last record, by partition."""
        return dict(self._rows(END_ROWS, STREAMS.index(stream)))

    def extents(self, stream):
        """(first offset, last offset, records), by partition. Not of state."""
        return {partition: extent for partition, *extent in self._rows(EXTENT_ROWS.format(stream=stream))}

    def progress(self):
        """(commands decided, commands there), by offsets."""
        try:
            return sum(self.positions().values()), sum(self.ends("commands").values())
        except sqlite3.OperationalError as error:
            raise NotReady(str(error)) from error
