// A warehouse that has everything and a payment service that takes every payment, over Kafka. Usage: node built/connector.js
import kafkajs from "kafkajs";
import { toEvent, toRecord } from "./records.js";

const { KAFKA = "127.0.0.1:29092", COMMANDS = "checkout.commands.v1", EVENTS = "checkout.events.v1" } = process.env;

interface Asked { reservation_id: string; session_id: string; amount_minor: number; currency: string }

/** The reply to a request, and its data; undefined for an event that asks nothing. */
function answer(request: string, { reservation_id, session_id, amount_minor, currency }: Asked): [string, object] | undefined {
  const money = { session_id, reference: `example-${session_id}`, amount_minor, currency };
  switch (request) {
    case "dev.mayfly.inventory.reservation_requested.v1": return ["inventory.reserved", { reservation_id }];
    case "dev.mayfly.payment.authorization_requested.v1": return ["payment.authorized", money];
    case "dev.mayfly.payment.capture_requested.v1": return ["payment.captured", money];
    default: return undefined;
  }
}

const kafka = new kafkajs.Kafka({ brokers: [KAFKA], logLevel: kafkajs.logLevel.ERROR });
const consumer = kafka.consumer({ groupId: "example-connector-typescript" }), producer = kafka.producer({ idempotent: true });
await Promise.all([consumer.connect(), producer.connect()]);
await consumer.subscribe({ topic: EVENTS, fromBeginning: true });
await consumer.run({
  // The position is committed behind what this has returned from: after the reply is durable.
  eachMessage: async ({ message }) => {
    const request = toEvent<Asked>(message), cart = String(message.key);
    const [name, data] = answer(request.type, request.data!) ?? [];
    if (!name || !data) return;
    // The request's id: a request that is answered twice is one command to Mayfly.
    const reply = toRecord(cart, name, data, { id: request.id, source: "/example/connector" });
    await producer.send({ topic: COMMANDS, acks: -1, messages: [reply] });
    console.log(cart, name);
  },
});
