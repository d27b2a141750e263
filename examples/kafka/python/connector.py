"""A warehouse that has everything and a payment service that takes every payment, over Kafka. Usage: connector.py"""
import os

from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Consumer, Producer

BROKERS = os.environ.get("KAFKA", "127.0.0.1:29092")
COMMANDS = os.environ.get("COMMANDS", "checkout.commands.v1")
EVENTS = os.environ.get("EVENTS", "checkout.events.v1")


def answer(request, data):
    """The reply to a request, and its data; None for an event that asks nothing."""
    if request == "dev.mayfly.inventory.reservation_requested.v1":
        return "inventory.reserved", {"reservation_id": data["reservation_id"]}
    money = {"session_id": data.get("session_id"), "reference": f"example-{data.get('session_id')}", "amount_minor": data.get("amount_minor"), "currency": data.get("currency")}
    if request == "dev.mayfly.payment.authorization_requested.v1":
        return "payment.authorized", money
    if request == "dev.mayfly.payment.capture_requested.v1":
        return "payment.captured", money
    return None


consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": "example-connector-python", "auto.offset.reset": "earliest", "isolation.level": "read_committed", "enable.auto.commit": False})
consumer.subscribe([EVENTS])
producer = Producer({"bootstrap.servers": BROKERS, "acks": "all", "enable.idempotence": True, "partitioner": "murmur2_random"})
while True:
    record = consumer.poll(1)
    if record is None or record.error():
        continue
    request = from_kafka(KafkaMessage(dict(record.headers()), record.key(), record.value()), JSONFormat())
    if reply := answer(request.get_type(), request.get_data()):
        # The request's id: a request that is answered twice is one command to Mayfly.
        event = CloudEvent({"specversion": "1.0", "id": request.get_id(), "source": "/example/connector", "type": f"dev.mayfly.{reply[0]}.v1", "datacontenttype": "application/json"}, reply[1])
        record_out = to_binary(event, JSONFormat(), lambda _: record.key())
        producer.produce(COMMANDS, record_out.value, record_out.key, headers=record_out.headers)
        producer.flush()
        print(request.get_subject(), reply[0], flush=True)
    consumer.commit(record)  # after the reply is durable
