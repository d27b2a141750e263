// Charts of one history, which share their times and the moment that is looked at.
const SVG = "http://www.w3.org/2000/svg";
const charts = [];
let looked = null;  // index of the moment that is looked at; null: the newest

function draw(tag, attributes, text) {
  const e = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  if (text !== undefined) e.textContent = text;
  return e;
}
/// Ticks from 0 to at least `most`: 1, 2 or 5 of a power of ten, or of 1024 times powers of two.
function ticks(most, binary) {
  const about = Math.max(most, binary ? 1024 : 1) / 4;
  let step = 1;
  if (binary) {
    step = 2 ** Math.ceil(Math.log2(about));
  } else {
    const ten = 10 ** Math.floor(Math.log10(about));
    step = ten * [1, 2, 5, 10].find(n => n * ten >= about * .999);
  }
  const all = [];
  for (let v = 0; ; v += step) {
    all.push(v);
    if (v >= most && v > 0) return all;
  }
}
/// Whole times of day, four or so within what is shown.
function timeTicks(from, to, most) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
  const step = 1000 * (steps.find(s => (to - from) / 1000 / s <= most) || 2592000), all = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) all.push(t);
  return { step, all };
}
function timeLabel(ms, step) {
  const iso = new Date(ms).toISOString();
  return step < 60000 ? iso.slice(11, 19) : step < 86400000 ? iso.slice(11, 16) : iso.slice(5, 10);
}

class Chart {
  /// options: name, format(value), binary, stacked, limit: [value, text] or null. Series come with `show`.
  constructor(id, options) {
    Object.assign(this, { root: $(id), options, times: [], series: [] });
    this.svg = draw("svg", { role: "presentation", "aria-hidden": "true" });
    this.legend = make("ul", "legend");
    // For a keyboard and a screen reader: a slider over the moments.
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "slider");
    this.root.setAttribute("aria-label", options.name + " over time");
    this.root.setAttribute("aria-valuemin", "0");
    this.root.append(this.svg, this.legend);
    this.svg.addEventListener("pointermove", e => this.point(e.clientX));
    this.svg.addEventListener("pointerleave", () => look(null));
    this.root.addEventListener("keydown", e => this.key(e));
    this.root.addEventListener("blur", () => look(null));
    new ResizeObserver(() => this.paint()).observe(this.root);
    charts.push(this);
  }
  show(times, series, limit) {
    Object.assign(this, { times, series, limit: limit || null });
    this.paint();
  }
  key(e) {
    const last = this.times.length - 1, at = looked === null ? last : looked;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at + 10, PageDown: at - 10, ArrowUp: at + 1, ArrowDown: at - 1, Home: 0, End: last }[e.key];
    if (e.key === "Escape") look(null);
    if (to === undefined || last < 0) return;
    e.preventDefault();
    look(Math.max(0, Math.min(last, to)));
  }
  point(clientX) {
    const x = clientX - this.svg.getBoundingClientRect().left, t = this.from + (x - this.left) / this.width * (this.to - this.from);
    let best = 0;
    this.times.forEach((at, i) => { if (Math.abs(at - t) < Math.abs(this.times[best] - t)) best = i; });
    look(this.times.length ? best : null);
  }
  x(t) { return this.left + (t - this.from) / Math.max(1, this.to - this.from) * this.width; }
  y(v) { return this.top + this.height * (1 - v / this.most); }

  paint() {
    const w = this.svg.clientWidth, h = this.svg.clientHeight, { format, binary, stacked } = this.options;
    if (w === 0) return;
    this.svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
    const known = this.series.some(s => s.values.some(v => v !== null));
    if (this.times.length < 2 || !known) {
      this.svg.replaceChildren(draw("text", { x: w / 2, y: h / 2, "text-anchor": "middle", class: "none" }, "nothing measured yet"));
      this.legend.replaceChildren();
      return;
    }
    const sums = this.times.map((_, i) => this.series.reduce((sum, s) => stacked ? sum + (s.values[i] || 0) : Math.max(sum, s.values[i] || 0), 0));
    const highest = Math.max(...sums), near = this.limit && this.limit[0] < 3 * highest;
    const marks = ticks(Math.max(highest, near ? this.limit[0] : 0), binary);
    const longest = Math.max(...marks.map(m => format(m).length));
    Object.assign(this, { left: 10 + 6.3 * longest, top: 20, from: this.times[0], to: this.times[this.times.length - 1], most: marks[marks.length - 1] });
    Object.assign(this, { width: w - this.left - 12, height: h - this.top - 22 });
    const parts = [];
    for (const m of marks) {
      parts.push(draw("line", { x1: this.left, x2: w - 12, y1: this.y(m), y2: this.y(m), class: "grid" }));
      parts.push(draw("text", { x: this.left - 6, y: this.y(m) + 4, "text-anchor": "end" }, format(m)));
    }
    const { step, all } = timeTicks(this.from, this.to, Math.max(2, Math.floor(this.width / 90)));
    for (const t of all) {
      const x = this.x(t);
      if (x < this.left + 14 || x > w - 26) continue;
      parts.push(draw("text", { x, y: h - 6, "text-anchor": "middle" }, timeLabel(t, step)));
    }
    parts.push(...(stacked ? this.areas() : this.series.flatMap(s => this.lines(s))));
    if (this.limit && near) {
      const y = this.y(this.limit[0]);
      parts.push(draw("line", { x1: this.left, x2: w - 12, y1: y, y2: y, class: "limit" }));
      parts.push(draw("text", { x: w - 14, y: y - 4, "text-anchor": "end", class: "limit-text" }, this.limit[1]));
    } else if (this.limit) {
      parts.push(draw("text", { x: w - 14, y: 10, "text-anchor": "end" }, "↑ " + this.limit[1] + ", " + Math.floor(this.limit[0] / Math.max(1, highest)) + " times the highest"));
    }
    const at = looked === null || looked >= this.times.length ? this.times.length - 1 : looked;
    if (looked !== null) parts.push(draw("line", { x1: this.x(this.times[at]), x2: this.x(this.times[at]), y1: this.top, y2: this.top + this.height, class: "cursor" }));
    this.svg.replaceChildren(...parts);
    this.explain(at);
  }
  areas() {
    const base = this.times.map(() => 0), paths = [];
    this.series.forEach((s, k) => {
      const below = this.times.map((t, i) => `${this.x(t).toFixed(1)},${this.y(base[i]).toFixed(1)}`);
      this.times.forEach((_, i) => { base[i] += s.values[i] || 0; });
      const above = this.times.map((t, i) => `${this.x(t).toFixed(1)},${this.y(base[i]).toFixed(1)}`);
      paths.push(draw("path", { d: "M" + above.join("L") + "L" + below.reverse().join("L") + "Z", class: "area k" + k }));
    });
    return paths;
  }
  lines(s) {
    let d = "", pen = false;
    s.values.forEach((v, i) => {
      if (v !== null) d += (pen ? "L" : "M") + this.x(this.times[i]).toFixed(1) + "," + this.y(v).toFixed(1);
      pen = v !== null;
    });
    return [draw("path", { d, class: "line k" + (s.color || 0) })];
  }
  /// What is shown at one moment: in words below, and for a screen reader.
  explain(at) {
    const { format, stacked } = this.options, when = looked === null ? "now" : clock(this.times[at]);
    const words = this.series.map(s => s.name + " " + (s.values[at] === null ? "–" : format(s.values[at])));
    this.legend.replaceChildren(make("li", "when soft", when), ...this.series.map((s, k) => make("li", "k" + (stacked ? k : s.color || 0), words[k])));
    this.root.setAttribute("aria-valuemax", String(this.times.length - 1));
    this.root.setAttribute("aria-valuenow", String(at));
    this.root.setAttribute("aria-valuetext", when + ": " + words.join(", "));
  }
}
function look(at) {
  if (looked === at) return;
  looked = at;
  for (const chart of charts) chart.paint();
}
