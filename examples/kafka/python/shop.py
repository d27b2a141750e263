"""A cart from its creation to its order, over Kafka. Usage: shop.py [CART]"""
import os
import sys
import uuid

from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Consumer, Producer, TopicPartition

BROKERS = os.environ.get("KAFKA", "127.0.0.1:29092")
COMMANDS = os.environ.get("COMMANDS", "checkout.commands.v1")
EVENTS = os.environ.get("EVENTS", "checkout.events.v1")
cart = sys.argv[1] if len(sys.argv) > 1 else str(uuid.uuid4())

# From the end of each partition, and that before the first command: the answer cannot come first.
consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": "unused", "isolation.level": "read_committed", "enable.auto.commit": False})
places = [TopicPartition(EVENTS, p) for p in consumer.list_topics(EVENTS, 30).topics[EVENTS].partitions]
for place in places:
    place.offset = consumer.get_watermark_offsets(place, 30)[1]
consumer.assign(places)

# murmur2_random: a cart's commands lie where Java's client would put them.
producer = Producer({"bootstrap.servers": BROKERS, "acks": "all", "enable.idempotence": True, "partitioner": "murmur2_random"})
for command, data in (("cart.create", {"currency": "GBP"}),
                      ("cart.add_line", {"sku": "TEA", "quantity": 2, "unit_price_minor": 499}),
                      ("cart.add_line", {"sku": "MUG", "quantity": 1, "unit_price_minor": 850}),
                      ("checkout.complete", {"expected_total_minor": 1848, "payment": {"provider": "example", "token": "tok_1"}})):
    event = CloudEvent({"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/example/shop", "type": f"dev.mayfly.{command}.v1", "datacontenttype": "application/json"}, data)
    record = to_binary(event, JSONFormat(), lambda _: cart)
    producer.produce(COMMANDS, record.value, record.key, headers=record.headers)
producer.flush()

while True:
    record = consumer.poll(1)
    if record is None or record.error() or record.key() != cart.encode():
        continue
    event = from_kafka(KafkaMessage(dict(record.headers()), record.key(), record.value()), JSONFormat())
    print(event.get_type(), event.get_data(), flush=True)
    if event.get_type() in ("dev.mayfly.order.placed.v1", "dev.mayfly.checkout.reopened.v1", "dev.mayfly.command.rejected.v1"):
        sys.exit(event.get_type() != "dev.mayfly.order.placed.v1")
