// A real browser that does what it is told, a JSON array per line on standard input, and answers with a JSON object per
// line: browser.mjs CHROMIUM. Its packages lie in NODE_PATH's folder (browser.py installs them).
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";

const require = createRequire(process.env.PACKAGES + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const patience_ms = 300000;  // for anything, as program.py's

const sandbox = process.getuid() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath: process.argv[2], args: sandbox, timeout: patience_ms });
let page, heard = [], asked = [];

const verbs = {
  async open(url, width, height, scheme) {
    if (page) await page.close();
    heard = [];
    asked = [];
    // axe is put into the page past its content policy; what the page itself does is under that policy all the same.
    page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
    page.setDefaultTimeout(patience_ms);
    page.on("console", m => { if (["error", "warning"].includes(m.type())) heard.push(m.text()); });
    page.on("pageerror", e => heard.push(e.message));
    page.on("request", r => asked.push(r.url()));
    await page.goto(url);
  },
  /// Asked from outside: the page's own policy lets in no text as code.
  async wait(condition) {
    for (const until = Date.now() + patience_ms; Date.now() < until; await page.waitForTimeout(50)) {
      if (await page.evaluate(condition)) return;
    }
    throw new Error("did not come true");
  },
  /// Every answer of a path goes through a function of its JSON.
  async alter(path, change) {
    const changed = new Function("json", change);
    await page.route(url => url.pathname === path, async route => {
      const answer = await route.fetch(), json = await answer.json();
      changed(json);
      await route.fulfill({ response: answer, json });
    });
  },
  async text(selector) { return page.innerText(selector); },
  async evaluate(expression) { return page.evaluate(expression); },
  async fill(selector, text) { await page.fill(selector, text); },
  async press(key) { await page.keyboard.press(key); },
  async click(selector) { await page.click(selector); },
  async heard() { return heard; },
  async asked() { return asked; },
  async axe() {
    await page.evaluate(axe);
    const found = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
    return found.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.target.join(" ") + " " + (n.any[0]?.message || "")).slice(0, 5).join("; "));
  },
  async screenshot(path) { await page.screenshot({ path, fullPage: true }); },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...words] = JSON.parse(line);
  try {
    console.log(JSON.stringify({ value: await verbs[verb](...words) ?? null }));
  } catch (problem) {
    console.log(JSON.stringify({ problem: String(problem) }));
  }
}
await browser.close();
