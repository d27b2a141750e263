"""Mayfly's topics on Kafka, read with confluent_kafka as docs/kafka.md and docs/state-format.md describe them.

Gives what sqlite_log.SqliteLog gives, so that one check serves both. Reads committed records only, commits nothing,
shares no code with the engine. Needs Debian's python3-confluent-kafka: run it with /usr/bin/python3.
"""
import confluent_kafka
from confluent_kafka import Consumer, TopicPartition

from sqlite_log import NotReady, Record, json_in, text

TOPICS = {stream: f"checkout.{stream}.v1" for stream in ("commands", "events", "state", "deadletters", "alerts")}
REQUEST_LIMIT_S = 60
SILENCE_LIMIT_S = 180


def headers_in(message):
    return {name: text(value) for name, value in message.headers() or []}


class KafkaLog:
    offsets_have_gaps = True  # Kafka writes its transaction marks there

    def __init__(self, brokers, group, topics=None):
        self.topics = topics or TOPICS
        self.settings = {
            "bootstrap.servers": brokers,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
        self.consumer = Consumer(self.settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.consumer.close()

    def partitions(self, stream):
        try:
            topic = self.consumer.list_topics(self.topics[stream], timeout=REQUEST_LIMIT_S).topics[self.topics[stream]]
        except confluent_kafka.KafkaException as error:
            raise NotReady(str(error)) from error
        if topic.error is not None or not topic.partitions:
            raise NotReady(f"{self.topics[stream]}: {topic.error}")
        return sorted(topic.partitions)

    def messages(self, stream):
        """All committed records, partition by partition, in their order."""
        for partition in self.partitions(stream):
            self.consumer.assign([TopicPartition(self.topics[stream], partition, confluent_kafka.OFFSET_BEGINNING)])
            at_end = False
            while not at_end:
                batch = self.consumer.consume(5000, timeout=1)
                if not batch:
                    self.silence = getattr(self, "silence", 0) + 1
                    if self.silence > SILENCE_LIMIT_S:
                        raise NotReady(f"{self.topics[stream]}-{partition} gives nothing for {SILENCE_LIMIT_S} s")
                    continue
                self.silence = 0
                for message in batch:
                    if message.error() is None:
                        yield message
                    elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                        at_end = True
            self.consumer.unassign()

    def _records(self, stream):
        for m in self.messages(stream):
            yield Record(stream, m.partition(), m.offset(), text(m.key()), headers_in(m), json_in(m.value()), m.value())

    def events(self):
        return self._records("events")

    def commands(self):
        return self._records("commands")

    def dead_letters(self):
        return sum(1 for _ in self.messages("deadletters"))

    def state(self):
        newest = {(m.partition(), text(m.key())): m.value() for m in self.messages("state")}
        for (partition, key), value in sorted(newest.items()):
            yield partition, key, value

    def positions(self):
        places = [TopicPartition(self.topics["commands"], p) for p in self.partitions("commands")]
        try:
            committed = self.consumer.committed(places, timeout=REQUEST_LIMIT_S)
        except confluent_kafka.KafkaException as error:
            raise NotReady(str(error)) from error
        return {place.partition: max(place.offset, 0) for place in committed}

    def ends(self, stream):
        try:
            return {
                p: self.consumer.get_watermark_offsets(TopicPartition(self.topics[stream], p), timeout=REQUEST_LIMIT_S)[1]
                for p in self.partitions(stream)
            }
        except confluent_kafka.KafkaException as error:
            raise NotReady(str(error)) from error

    def progress(self):
        """(commands decided, commands there), by offsets."""
        return sum(self.positions().values()), sum(self.ends("commands").values())
