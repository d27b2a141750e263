// What each section says, of one answer of /now.
const at_risk_words = {
  authorization_asked: "authorization asked for", authorized_without_order: "authorized, no order", capture_asked: "capture asked for",
  captured_unpaid: "captured, checkout not done", cancel_asked: "cancel asked for", refund_asked: "refund asked for", in_doubt: "in doubt",
  unresolved: "unresolved: for a person", abandoned: "abandoned", refund_pending: "refund pending", settling: "buyer still pays",
  capture_awaited: "shop has not asked for capture",
};
const total = (of, name) => of.reduce((sum, one) => sum + one[name], 0);

/// What a person should look at: [grave, text, runbook or nothing].
function troubles(now) {
  const e = now.tree.engine, m = now.memory, log = now.log, all = [];
  const add = (bad, text, page) => all.push([bad, text, page]);
  if (!e.alive) add(true, "The loop does not move: the engine ends by itself if that lasts.", "MayflyStuck");
  if (!e.ready) add(true, "Not ready: partitions are not restored yet, the log does not answer, or clocks are apart.", "MayflyNotReady");
  for (const p of now.tree.partitions) {
    if (p.phase === "stopped") add(true, "Partition " + p.partition + " is not served.", "MayflyPartitionStopped");
  }
  if (m.pressure !== "normal") add(m.pressure !== "sleep_more", "Memory pressure: " + m.pressure.replaceAll("_", " ") + ".", m.pressure === "sleep_more" ? "MayflyMemoryPressure" : "MayflyAdmissionClosed");
  for (const leak of m.leaks) {
    add(leak.limit_in_s !== undefined && leak.limit_in_s < 3600, "Leak of " + leak.purpose + ": " + bytes(leak.bytes) + " lost, " + bytes(leak.bytes_per_s) + "/s" +
      (leak.limit_in_s === undefined ? "." : ", " + duration(leak.limit_in_s) + " left."), "MayflyLeak");
  }
  if (e.carts_quarantined > 0) add(false, plural(e.carts_quarantined, "cart is", "carts are") + " quarantined: commands for them become dead letters.", "MayflyCartsQuarantined");
  const money = log.money.at_risk, unresolved = money.filter(r => r.state === "unresolved"), doubt = money.filter(r => r.state === "in_doubt");
  if (unresolved.length) add(true, plural(total(unresolved, "rows"), "payment is", "payments are") + " unresolved, the oldest for " + duration(Math.max(...unresolved.map(r => r.oldest_s))) + ".", "MayflyMoneyUnresolved");
  if (doubt.some(r => r.oldest_s > 3600)) add(false, plural(total(doubt, "rows"), "payment is", "payments are") + " in doubt, the oldest for " + duration(Math.max(...doubt.map(r => r.oldest_s))) + ".", "MayflyMoneyInDoubt");
  const known = ["leak", "memory_pressure", "cart_quarantined"];  // said above, from the engine itself
  for (const a of log.alerts) {
    if (a.state === "open" && !known.includes(a.name)) add(false, "Alert " + a.name + " is open: " + (a.message || a.what || "partition " + a.partition), a.runbook);
  }
  return all.sort((a, b) => b[0] - a[0]);
}
let kinds_of_trouble = null;
function verdict(now) {
  const all = troubles(now), kinds = all.map(([, text]) => text.split(/[:,]|\d/)[0]).join("; ");
  // Ages and amounts move each second: a screen reader hears what is new, once.
  if (kinds_of_trouble !== null && kinds !== kinds_of_trouble) tell(all.length ? "Needs attention: " + kinds : "All is well");
  kinds_of_trouble = kinds;
  $("verdict").className = all.length ? "" : "well";
  const points = all.map(([bad, text, page]) => make("li", bad ? "bad" : "", make("span", "pill " + (bad ? "bad" : "wait"), bad ? "critical" : "warning"), " " + text + " ", ...(page ? [runbook(page)] : [])));
  put("verdict-text", all.length ? make("ul", "points", ...points) : make("p", "", "All is well: every partition is served, no alert is open, no memory leaks, no money waits for a person."));
}
function tell(words) {
  $("announce").append(make("p", "", words));
  while ($("announce").childElementCount > 20) $("announce").firstChild.remove();
}
const heard = new Map();
function announce(alerts) {
  const first = heard.size === 0;
  for (const a of alerts) {
    const key = a.name + a.at + a.partition + (a.cart || "");
    if (heard.get(key) !== a.state && !first) tell("Alert " + a.name + " is " + (a.state === "once" ? "new" : a.state));
    heard.set(key, a.state);
  }
  if (first) heard.set("", "");
}
function alerts(now) {
  const log = now.log, words = { open: ["open", "bad"], ended: ["ended", "quiet"], once: ["told", "quiet"], superseded: ["cut off", "quiet"] };
  if (!log.problem) announce(log.alerts);
  const rows = log.alerts.slice(0, 30).map(a => {
    const [word, c] = words[a.state], about = [make("span", "pill " + c, word), make("strong", "", a.name), " "];
    about.push(make("small", "soft", moment(a.at) + (a.ended ? " until " + moment(a.ended).slice(a.at.slice(0, 10) === a.ended.slice(0, 10) ? 11 : 0) : "")), make("br"), a.message || a.what || "partition " + a.partition);
    if (a.cart) {
      const b = make("button", "", "cart " + a.cart);
      b.type = "button";
      b.dataset.cart = a.cart;
      about.push(" ", b);
    }
    if (a.runbook) about.push(" ", runbook(a.runbook));
    return make("li", a.state, ...about);
  });
  const parts = rows.length ? [make("ul", "points", ...rows)] : log.problem ? [] : [make("p", "soft", "No alert is in the log.")];
  if (log.problem) parts.unshift(make("p", "soft", log.problem));
  if (log.alerts.some(a => a.state === "superseded")) parts.push(make("small", "soft", "Cut off: the engine started again since; what lasts is said anew."));
  if (log.alerts.length > 30) parts.push(make("small", "soft", "and " + (log.alerts.length - 30) + " older ones: mayfly tail --stream alerts"));
  put("alerts", ...parts);
}
function money(now) {
  const m = now.log.money, grave = { unresolved: 0, in_doubt: 1 };
  const rows = [...m.at_risk].sort((a, b) => (grave[a.state] ?? 2) - (grave[b.state] ?? 2) || b.oldest_s - a.oldest_s)
    .map(r => [r.state in grave ? make("strong", "", at_risk_words[r.state]) : at_risk_words[r.state] || r.state, grouped(r.rows), r.amount, duration(r.oldest_s)]);
  const notes = [];
  if (m.read_percent < 100) notes.push(m.read_percent + " % of the events are read so far.");
  if (m.cut) notes.push("Older events are no longer in the log; money that was at risk then is not listed.");
  if (m.too_many) notes.push("More payments are open than the page keeps: mayfly funds has them all.");
  put("money", table([["what became of it"], ["payments", "n"], ["amount", "n"], ["oldest", "n"]], rows, m.read_percent === 100 ? "No money is at risk." : ""),
    make("small", "soft", [...notes, "mayfly funds lists each payment."].join(" ")));
}
function purposes(now) {
  const m = now.memory, rows = Object.entries(m.purposes).map(([name, p]) =>
    [name, bytes(p.bytes), grouped(p.blocks), p.owners > 0 ? bytes(p.bytes / p.owners) : "", bytes(p.peak_bytes), p.unexplained_bytes + p.orphaned_bytes > 0 ? bytes(p.unexplained_bytes + p.orphaned_bytes) : ""]);
  for (const [name, n] of [["actors", m.actor_bytes], ["messages", m.message_bytes], ["the log's own", m.log_bytes], ["unaccounted", m.unaccounted_bytes], ["fragmentation", m.fragmentation_bytes]]) rows.push([name, bytes(n), "", "", "", ""]);
  put("purposes", table([["purpose"], ["bytes", "n"], ["blocks", "n"], ["each owner", "n"], ["highest", "n"], ["not explained", "n"]], rows));
}
function tree(now) {
  const t = now.tree, e = t.engine, most = Math.max(1, ...t.partitions.map(p => p.carts_open));
  const who = (stem, text) => [make("span", "stem", stem), text];
  const wide = (awake, asleep) => make("div", "bar", ...bar([awake / most, ""], [asleep / most, "pale"]));
  const rows = [[who("", "process " + t.process.pid), "", "", "", "", "", "", duration(t.process.age_s)],
    [who("└─ ", "engine " + e.name), "", grouped(e.carts_open), grouped(e.sessions_open), grouped(e.commands), grouped(e.restarts), grouped(e.rebuilds) + " rebuilt", ""]];
  t.partitions.slice(0, 64).forEach((p, i) => {
    const differs = p.renewals.differences > 0 ? ", " + plural(p.renewals.differences, "difference") : "";
    rows.push([who(i + 1 === t.partitions.length ? "   └─ " : "   ├─ ", "partition " + p.partition + (p.phase === "serving" ? "" : ", " + p.phase)),
      wide(p.carts_awake, p.carts_open - p.carts_awake), grouped(p.carts_open), grouped(p.sessions_open), grouped(p.commands), grouped(p.restarts),
      p.renewals.count ? plural(p.renewals.count, "renewal") + differs : "", duration(p.age_s)]);
  });
  put("tree", table([["who"], ["carts: awake, asleep", "wide"], ["carts", "n"], ["sessions", "n"], ["commands", "n"], ["restarts", "n"], ["renewed", "n"], ["age", "n"]], rows),
    ...(t.partitions.length > 64 ? [make("p", "soft", "and " + (t.partitions.length - 64) + " more: mayfly tree")] : []));
  const dead = t.partitions.flatMap(p => p.newest_restarts.map(r => [r.at, "partition " + p.partition + ": " + r.reason]));
  dead.sort((a, b) => a[0] < b[0] ? 1 : -1);
  put("restarts", ...(dead.length ? [make("ul", "list", ...dead.slice(0, 8).map(([at, why]) => make("li", "soft", clock(Date.parse(at)) + "  " + why)))] : []));
}
function kinds(now) {
  const e = now.tree.engine, m = now.memory;
  const of = prefix => Object.entries(m.purposes).filter(([name]) => name.startsWith(prefix)).reduce((sum, [, p]) => sum + p.bytes, 0);
  const each = (n, count) => count > 0 ? bytes(n / count) : "";
  const partitions = now.tree.partitions.filter(p => p.phase !== "restoring").length, sum = e.cart_actors + e.session_actors + partitions;
  const rows = [["carts", grouped(e.cart_actors), bytes(of("cart.")), each(of("cart."), e.cart_actors), grouped(m.cart_actors_overdue)],
    ["payment sessions", grouped(e.session_actors), bytes(of("session.")), each(of("session."), e.session_actors), grouped(m.session_actors_overdue)],
    ["supervisors of partitions", grouped(partitions), bytes(of("partition.")), each(of("partition."), partitions), ""]];
  put("kinds", table([["kind"], ["actors", "n"], ["bytes", "n"], ["each", "n"], ["overdue", "n"]], rows),
    make("small", "soft", sum === e.actors_running ? `${grouped(sum)} actors, as many as the actor system counts; their own blocks take ${bytes(m.actor_bytes)}.`
      : `The actor system counts ${grouped(e.actors_running)}: actors come and go while they are counted.`));
}
function way(now) {
  const by = now.tree.engine.events_by_type, n = t => by[t] || 0, top = Math.max(1, n("cart.created"), n("checkout.started"));
  const rows = [["carts created", "cart.created"], ["checkouts started", "checkout.started"], ["orders placed", "order.placed"],
    ["paid and done", "checkout.completed"], ["reopened", "checkout.reopened", "warm"], ["canceled", "cart.canceled", "warm"],
    ["expired", "cart.expired", "warm"], ["for a person", "payment.unresolved", "warm"]];
  put("way", ...rows.map(([label, type, c]) => make("div", "row", make("span", "", label), make("div", "bar", ...bar([n(type) / top, c || ""])), make("span", "", grouped(n(type))))));
}
function refused(now) {
  const e = now.tree.engine, rows = [...Object.entries(e.rejections_by_code).map(([k, n]) => ["refused: " + k, n]),
    ...Object.entries(e.dead_letters_by_reason).map(([k, n]) => ["dead letter: " + k, n])].sort((a, b) => b[1] - a[1]).slice(0, 10);
  if (e.commit_failures) rows.push(["transactions that failed", e.commit_failures]);
  put("refused", table([["why"], ["since the engine began", "n"]], rows.map(([k, n]) => [k, grouped(n)])));
}
