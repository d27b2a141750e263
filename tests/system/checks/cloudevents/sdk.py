"""Python's CloudEvents SDK over HTTP. `sdk.py send FRONT CART`: cart.create in binary mode, cart.add_line in structured mode, and
prints each status. `sdk.py read CONTENT-TYPE`: a webhook's body on standard input; prints what it is."""
import datetime
import json
import sys
import urllib.request

from cloudevents.core.bindings.http import HTTPMessage, from_http, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent


def send(front, cart):
    for write, name, data in ((to_binary, "cart.create", {"currency": "GBP"}), (to_structured, "cart.add_line", {"sku": "A", "quantity": 1, "unit_price_minor": 5})):
        event = CloudEvent({"specversion": "1.0", "id": f"{cart}-{name}", "source": "/test/python", "type": f"dev.mayfly.{name}.v1", "subject": cart,
                            "datacontenttype": "application/json", "time": datetime.datetime.now(datetime.timezone.utc)}, data)
        message = write(event, JSONFormat())
        with urllib.request.urlopen(urllib.request.Request(front + "/events", message.body, {**message.headers, "Prefer": "wait=60"})) as answer:
            print(answer.status)


def read(content_type):
    event = from_http(HTTPMessage({"content-type": content_type}, sys.stdin.buffer.read()), JSONFormat())
    print(json.dumps({"id": event.get_id(), "source": event.get_source(), "type": event.get_type(), "subject": event.get_subject(),
                      "time": event.get_time().strftime("%Y-%m-%dT%H:%M:%S"), "sequence": event.get_extension("sequence"), "data": event.get_data()}))


{"send": send, "read": read}[sys.argv[1]](*sys.argv[2:])
