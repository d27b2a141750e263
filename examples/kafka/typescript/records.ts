// What lies between kafkajs and CloudEvents' package: kafkajs leaves lz4, with which Mayfly's events are compressed, to another
// package, gives headers as bytes, and takes none that are undefined.
import { CloudEvent, Kafka as Binding, type CloudEventV1, type KafkaMessage as BoundMessage } from "cloudevents";
import kafkajs, { type KafkaMessage, type Message } from "kafkajs";
import lz4 from "lz4js";

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({ decompress: async (bytes: Buffer) => Buffer.from(lz4.decompress(bytes)) });

/** An event of Mayfly's: one whose key is a cart. */
export function toEvent<Data>({ key, value, headers }: KafkaMessage) {
  const texts = Object.fromEntries(Object.entries(headers ?? {}).map(([name, bytes]) => [name, String(bytes)]));
  return Binding.toEvent<Data>({ key: String(key), value, headers: texts } as BoundMessage<Data>) as CloudEventV1<Data>;
}

/** A command as a record; without an id it gets a new one. */
export function toRecord(cart: string, name: string, data: object, attributes: { source: string, id?: string }): Message {
  const event = new CloudEvent({ ...attributes, type: `dev.mayfly.${name}.v1`, datacontenttype: "application/json", data });
  const { headers, value } = Binding.binary(event) as BoundMessage;
  const given = Object.entries(headers).filter(([, text]) => text !== undefined);
  return { key: cart, headers: Object.fromEntries(given) as Record<string, string>, value: JSON.stringify(value) };
}
