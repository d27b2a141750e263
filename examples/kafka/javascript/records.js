// What lies between kafkajs and CloudEvents' package: kafkajs leaves lz4, with which Mayfly's events are compressed, to another
// package, gives headers as bytes, and takes none that are undefined.
import { CloudEvent, Kafka as Binding } from "cloudevents";
import kafkajs from "kafkajs";
import lz4 from "lz4js";

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({ decompress: async bytes => Buffer.from(lz4.decompress(bytes)) });

export function toEvent(message) {
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, bytes]) => [name, bytes.toString()]));
  return Binding.toEvent({ ...message, key: message.key.toString(), headers });
}

/** A command as a record; without an id it gets a new one. */
export function toRecord(cart, name, data, attributes) {
  const event = new CloudEvent({ ...attributes, type: `dev.mayfly.${name}.v1`, datacontenttype: "application/json", data });
  const { headers, value } = Binding.binary(event);
  const given = Object.entries(headers).filter(([, text]) => text !== undefined);
  return { key: cart, headers: Object.fromEntries(given), value: JSON.stringify(value) };
}
