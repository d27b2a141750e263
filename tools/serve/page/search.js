// Finds a cart and shows its events, newest last.
function shortData(data) {
  return Object.entries(data).map(([name, value]) => name + " " + (typeof value === "object" ? JSON.stringify(value) : value)).join(" · ");
}
function timelineItem(event) {
  const bad = /declined|rejected|expired|canceled|unresolved|in_doubt|dead_lettered|failed/.test(event.type);
  const when = make("time", "soft", moment(event.at));
  when.dateTime = event.at;
  const place = make("small", "soft", "  " + event.partition + ":" + event.offset);
  return make("li", bad ? "bad" : "", when, make("div", "", make("b", "", event.type), place, make("div", "data", shortData(event.data))));
}
/// Waits of decisions.md 3, by what ends them.
const waited = {
  reservation: "the warehouse", authorization: "the provider to authorize", action: "the buyer to confirm the payment", pending: "the provider, which is not sure yet",
  capture: "the provider to capture", cancel: "the provider to cancel", refund: "the provider to refund", capture_retry: "another try to capture", refund_retry: "another try to refund",
  status_try: "the provider's word on what became of it", settle: "the money to settle", hold: "the shop to capture", merge: "the other cart",
};
/// A wait without a time begins with the next clock tick.
function waitWords({ kind, due }) {
  const until = due ? " until " + moment(due) : "";
  if (kind === "idle") return due ? "expires " + moment(due) + " unless a command comes" : "expires when no command comes for long";
  return "waits for " + (waited[kind] || kind) + until;
}
function foundState(found) {
  const s = found.state, words = [];
  if (found.relation) words.push(found.relation);
  if (found.total) words.push("total " + found.total + ", " + plural((s.lines || []).length, "line"));
  if (s.session) words.push("payment session " + s.session.number + " " + s.session.state + " at " + s.session.provider);
  if (s.wait && s.wait.kind !== "none") words.push(waitWords(s.wait));
  if (s.waiting) words.push(plural(s.waiting, "command") + " not decided yet");
  if (found.left_out) words.push(plural(found.left_out, "older event is", "older events are") + " left out");
  if (found.history_begins > 0) words.push("events before offset " + found.history_begins + " are no longer in the log");
  return make("ul", "list", ...words.map(w => make("li", "", w)));
}
function showFound(found) {
  const s = found.state || {};
  $("found").hidden = false;
  if (!found.found) {
    say("found-title", found.id + ": not found");
    put("found-state", make("p", "", found.why));
    put("found-events", ...(found.carts || []).map(cart => {
      const b = make("button", "", cart);
      b.type = "button";
      b.dataset.cart = cart;
      return b;
    }));
  } else {
    say("found-title", "Cart " + s.cart + ": " + (s.outcome || s.state) + (s.order_id ? ", order " + s.order_id : "") + (s.reason ? " (" + s.reason + ")" : ""));
    put("found-state", foundState(found));
    put("found-events", make("ol", "timeline", ...found.events.map(timelineItem)));
  }
  $("found-title").focus();
}
async function search(id) {
  const fields = $("search").querySelectorAll("input, button");
  fields.forEach(f => { f.disabled = true; });
  say("search-note", "looking ...");
  try {
    const answer = await fetch("search?id=" + encodeURIComponent(id), { cache: "no-store" });
    showFound({ id, ...await answer.json() });
    say("search-note", "");
  } catch (problem) {
    say("search-note", "no answer");
  }
  fields.forEach(f => { f.disabled = false; });
}
function closeFound() {
  $("found").hidden = true;
  $("search-id").focus();
}
$("search").addEventListener("submit", e => {
  e.preventDefault();
  const id = $("search-id").value.trim();
  if (id) search(id);
});
$("found-events").addEventListener("click", e => { if (e.target.dataset.cart) search(e.target.dataset.cart); });
$("alerts").addEventListener("click", e => { if (e.target.dataset.cart) search(e.target.dataset.cart); });
$("found-close").addEventListener("click", closeFound);
document.addEventListener("keydown", e => {
  if (e.key === "Escape" && !$("found").hidden) closeFound();
  if (e.key === "/" && document.activeElement.tagName !== "INPUT" && !$("search-id").disabled) {
    e.preventDefault();
    $("search-id").focus();
  }
});
