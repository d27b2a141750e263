// Asks the engine and shows what it says.
const wordy = n => n < 1000 ? String(+n.toFixed(n < 10 ? 1 : 0)) : n < 1e6 ? +(n / 1e3).toFixed(1) + " k" : +(n / 1e6).toFixed(1) + " M";
const groups = { carts: "carts", sessions: "sessions", partitions: "partitions' tables", log: "log", codec: "codec", actors: "actors and messages", other: "everything else" };
const memoryChart = new Chart("chart-memory", { name: "memory", format: bytes, binary: true, stacked: true });
const cartsChart = new Chart("chart-carts", { name: "carts", format: wordy });
const sessionsChart = new Chart("chart-sessions", { name: "payment sessions", format: wordy });
const rateChart = new Chart("chart-rate", { name: "commands a second", format: n => wordy(n) + (n ? "/s" : "") });
const latencyChart = new Chart("chart-latency", { name: "latency, p99", format: millis });
const lagChart = new Chart("chart-lag", { name: "commands waiting in the log", format: wordy });
const recent = [];  // the newest answers, a minute of them
let budget = -1;

/// As Prometheus's histogram_quantile, of what was counted since.
function quantile(now, before, share) {
  const counts = now.counts.map((n, i) => n - before.counts[i]), all = counts.reduce((a, b) => a + b, 0);
  let below = 0;
  if (all <= 0) return null;
  for (let i = 0; i < now.bounds_s.length; ++i) {
    const from = i ? now.bounds_s[i - 1] : 0;
    if (counts[i] > 0 && below + counts[i] >= share * all) return 1000 * (from + (now.bounds_s[i] - from) * (share * all - below) / counts[i]);
    below += counts[i];
  }
  return 1000 * now.bounds_s[now.bounds_s.length - 1];
}
function figures(now) {
  const e = now.tree.engine, m = now.memory, at = Date.parse(now.tree.process.now), share = (n, of) => n / Math.max(1, of);
  if (recent.length && recent[0].pid !== now.tree.process.pid) recent.length = 0;
  recent.push({ pid: now.tree.process.pid, at, commands: e.commands, ages: now.command_age });
  if (recent.length > 60) recent.shift();
  const before = recent[Math.max(0, recent.length - 6)], oldest = recent[0], s = (at - before.at) / 1000;
  say("carts", grouped(e.carts_open));
  say("carts-more", grouped(e.carts_awake) + " awake, " + grouped(e.carts_open - e.carts_awake) + " asleep");
  put("carts-bar", ...bar([share(e.carts_awake, e.carts_open), ""], [share(e.carts_open - e.carts_awake, e.carts_open), "pale"]));
  say("sessions", grouped(e.sessions_open));
  say("sessions-more", grouped(now.sessions_awake) + " awake, " + grouped(Math.max(0, e.sessions_open - now.sessions_awake)) + " asleep");
  put("sessions-bar", ...bar([share(now.sessions_awake, e.sessions_open), ""], [share(e.sessions_open - now.sessions_awake, e.sessions_open), "pale"]));
  say("rate", s > 0 ? grouped((e.commands - before.commands) / s) + "/s" : "–");
  say("rate-more", "commands; " + grouped(e.commands) + " since it began");
  const minute = quantile(now.command_age, oldest.ages, .99) !== null, ages = minute ? oldest.ages : { counts: now.command_age.counts.map(() => 0) };
  say("latency", millis(quantile(now.command_age, ages, .99)));
  say("latency-more", "p50 " + millis(quantile(now.command_age, ages, .5)) + (minute ? ", last minute" : ", since it began"));
  const lags = now.tree.log_figures.filter(f => f.name === "lag_records");
  say("lag", lags.length ? grouped(total(lags, "value")) : "–");
  say("lag-more", lags.length ? "commands" : "the log does not say");
  say("memory", bytes(m.used_bytes));
  const percent = 100 * m.used_bytes / m.budget_bytes;
  say("memory-more", m.budget_bytes > 0 ? (percent < .1 ? "less than 0.1" : percent.toFixed(1)) + " % of a budget of " + bytes(m.budget_bytes) : "no budget is known");
  put("memory-bar", ...bar([share(m.used_bytes, m.budget_bytes), m.used_bytes > m.budget_bytes / 2 ? "warm" : ""]));
  budget = m.budget_bytes;
}
function head(now) {
  const p = now.tree.process, e = now.tree.engine;
  say("engine", e.name);
  say("about", "version " + p.version + " on " + e.log + ", up " + duration(p.age_s) + ", process " + p.pid);
  const stopped = now.tree.partitions.some(one => one.phase === "stopped");
  $("state").className = "pill" + (!e.alive || stopped ? " bad" : e.ready ? "" : " wait");
  say("state", !e.alive ? "stuck" : !e.ready ? "not ready" : stopped ? "serving in part" : "serving");
  document.title = (e.ready ? "" : "! ") + "Mayfly " + e.name;
  const may = now.log.search;
  if (!may && !$("search-id").disabled) {
    $("search").querySelectorAll("input, button").forEach(f => { f.disabled = true; });
    say("search-note", "Off at this address (http.search): use mayfly inspect.");
  }
}
function history(h) {
  const t = h.at_ms, known = list => list.map(v => v < 0 ? null : v);
  memoryChart.show(t, Object.entries(groups).map(([k, name]) => ({ name, values: h.memory_bytes[k] })), budget > 0 ? [budget, "budget " + bytes(budget)] : null);
  cartsChart.show(t, [{ name: "open", values: h.carts_open }, { name: "awake", values: h.carts_awake, color: 1 }]);
  sessionsChart.show(t, [{ name: "open", values: h.sessions_open }, { name: "awake", values: h.sessions_awake, color: 1 }]);
  rateChart.show(t, [{ name: "decided", values: h.commands.map((n, i) => i === 0 ? null : Math.max(0, 1000 * (n - h.commands[i - 1]) / Math.max(1, t[i] - t[i - 1]))) }]);
  latencyChart.show(t, [{ name: "p99, at its slowest", values: h.slowest_us.map(us => us < 0 ? null : us / 1000) }]);
  lagChart.show(t, [{ name: "waiting", values: known(h.lag_records), color: 2 }]);
}
async function ask(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error("status " + answer.status);
  return answer.json();
}
let turn = 0;
async function refresh() {
  try {
    const now = await ask("now");
    for (const part of [head, figures, verdict, alerts, money, purposes, tree, kinds, way, refused]) part(now);
    if (turn++ % 5 === 0 || turn < 8) history(await ask("history"));
  } catch (problem) {
    $("state").className = "pill bad";
    say("state", "no answer");
    document.title = "! Mayfly";
  }
  setTimeout(refresh, document.hidden ? 5000 : 1000);
}
refresh();
