"use strict";
// Numbers, times and elements.
const $ = id => document.getElementById(id);
const say = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };
const grouped = n => Math.round(n).toLocaleString("en-US");
const plural = (n, one, many) => grouped(n) + " " + (n === 1 ? one : many || one + "s");

function bytes(n) {
  if (n < 0) return "not known";
  if (n === 0) return "0";
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (n >= size) return (n / size).toFixed(n / size < 10 ? 1 : 0) + " " + unit;
  }
  return Math.round(n) + " B";
}
function duration(s) {
  if (s < 120) return Math.round(s) + " s";
  if (s < 7200) return Math.floor(s / 60) + " min";
  if (s < 172800) return Math.floor(s / 3600) + " h";
  return Math.floor(s / 86400) + " d";
}
function millis(ms) {
  if (ms < 0 || ms === null) return "–";
  if (ms === 0) return "0";
  return ms < 10 ? ms.toFixed(1) + " ms" : ms < 1000 ? Math.round(ms) + " ms" : (ms / 1000).toFixed(ms < 10000 ? 1 : 0) + " s";
}
const clock = ms => new Date(ms).toISOString().slice(11, 19);
const moment = text => text.slice(0, 10) + " " + text.slice(11, 19);

function make(tag, className, ...inside) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...inside);
  return e;
}
function bar(...parts) {  // [share 0..1, class]
  return parts.map(([share, c]) => {
    const i = make("i", c);
    i.style.width = (100 * Math.min(1, Math.max(0, share))).toFixed(2) + "%";
    return i;
  });
}
/// Columns: [title, "n" for numbers]. Rows: arrays of text or elements; the first is the row's name.
function table(columns, rows, empty) {
  if (rows.length === 0) return make("p", "soft", empty || "nothing so far");
  const head = make("tr", "", ...columns.map(([title, c]) => {
    const th = make("th", c || "", title);
    th.scope = "col";
    return th;
  }));
  const body = rows.map(cells => make("tr", "", ...cells.map((cell, i) => {
    const e = make(i === 0 ? "th" : "td", columns[i][1] || "", ...(Array.isArray(cell) ? cell : [cell]));
    if (i === 0) e.scope = "row";
    return e;
  })));
  return make("table", "", make("thead", "", head), make("tbody", "", ...body));
}
/// Replaces what is shown only where it is something else, so that focus and a reader's place stay.
function put(id, ...inside) {
  const old = $(id), next = make("div", "", ...inside);
  if (old.shown === next.innerHTML) return false;
  old.shown = next.innerHTML;
  old.replaceChildren(...next.childNodes);
  return true;
}
function runbook(page) {
  const a = make("a", "", "runbook");
  a.href = "runbooks/" + page;
  a.setAttribute("aria-label", "runbook " + page);
  return a;
}
