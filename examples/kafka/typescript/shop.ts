// A cart from its creation to its order, over Kafka. Usage: node built/shop.js [CART]
import { randomUUID } from "node:crypto";
import type { CloudEventV1 } from "cloudevents";
import kafkajs from "kafkajs";
import { toEvent, toRecord } from "./records.js";

const { KAFKA = "127.0.0.1:29092", COMMANDS = "checkout.commands.v1", EVENTS = "checkout.events.v1" } = process.env;
const cart = process.argv[2] ?? randomUUID();
const kafka = new kafkajs.Kafka({ brokers: [KAFKA], logLevel: kafkajs.logLevel.ERROR });
const consumer = kafka.consumer({ groupId: `example-shop-${cart}` }), admin = kafka.admin();
const producer = kafka.producer({ idempotent: true });
await Promise.all([consumer.connect(), admin.connect(), producer.connect()]);

const ended = ["order.placed", "checkout.reopened", "command.rejected"].map(name => `dev.mayfly.${name}.v1`);
let last: (event: CloudEventV1<unknown>) => void;
const done = new Promise<CloudEventV1<unknown>>(resolve => { last = resolve; });

// From the end of each partition, and that before the first command: the answer cannot come first.
const places = await admin.fetchTopicOffsets(EVENTS);
await consumer.subscribe({ topic: EVENTS });
await consumer.run({
  eachMessage: async ({ message }) => {
    if (message.key?.toString() !== cart) return;
    const event = toEvent(message);
    console.log(event.type, JSON.stringify(event.data));
    if (ended.includes(event.type)) last(event);
  },
});
for (const { partition, high } of places) consumer.seek({ topic: EVENTS, partition, offset: high });

const commands: [string, object][] = [
  ["cart.create", { currency: "GBP" }],
  ["cart.add_line", { sku: "TEA", quantity: 2, unit_price_minor: 499 }],
  ["cart.add_line", { sku: "MUG", quantity: 1, unit_price_minor: 850 }],
  ["checkout.complete", { expected_total_minor: 1848, payment: { provider: "example", token: "tok_1" } }],
];
const messages = commands.map(([name, data]) => toRecord(cart, name, data, { source: "/example/shop" }));
await producer.send({ topic: COMMANDS, acks: -1, messages });
const event = await done;
await Promise.all([consumer.disconnect(), admin.disconnect(), producer.disconnect()]);
process.exitCode = event.type === ended[0] ? 0 : 1;
