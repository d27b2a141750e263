// JavaScript's CloudEvents SDK over HTTP, as sdk.py: send FRONT CART, read CONTENT-TYPE.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { CloudEvent, HTTP } = createRequire(process.cwd() + "/")("cloudevents");

async function send(front, cart) {
  const commands = [[HTTP.binary, "cart.create", { currency: "GBP" }], [HTTP.structured, "cart.add_line", { sku: "A", quantity: 1, unit_price_minor: 5 }]];
  for (const [write, name, data] of commands) {
    const event = new CloudEvent({ id: `${cart}-${name}`, source: "/test/javascript", type: `dev.mayfly.${name}.v1`, subject: cart, datacontenttype: "application/json", data });
    const { headers, body } = write(event);
    const given = Object.fromEntries(Object.entries(headers).filter(([, text]) => text !== undefined));
    const answer = await fetch(front + "/events", { method: "POST", headers: { ...given, Prefer: "wait=60" }, body });
    console.log(answer.status);
  }
}

function read(contentType) {
  const { id, source, type, subject, time, sequence, data } = HTTP.toEvent({ headers: { "content-type": contentType }, body: readFileSync(0, "utf8") });
  console.log(JSON.stringify({ id, source, type, subject, time: time.slice(0, 19), sequence, data }));
}

await { send, read }[process.argv[2]](...process.argv.slice(3));
