"use strict";
// Elements, axes and tables. Text of the data only ever becomes text nodes and attributes, never markup.

const NAMESPACE = "http://www.w3.org/2000/svg";
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const TIME_STEPS_S = [5, 10, 30, 60, 300, 600, 900, 1800, ...[1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720].map((h) => h * HOUR_S)];

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const el = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) => filled(document.createElementNS(NAMESPACE, name), attributes, children);
const byId = (id) => document.getElementById(id);
const count = (number) => Math.round(number).toLocaleString("en");

/** The time since the start: 1d 04:05:06. */
function clock(atS) {
  const whole = Math.floor(atS);
  const days = Math.floor(whole / DAY_S);
  const two = (number) => String(number).padStart(2, "0");
  return `${days ? `${days}d ` : ""}${two(Math.floor(whole / HOUR_S) % 24)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** 90 s, 12 min, 3.4 h. */
function span(seconds) {
  if (seconds < 120) return `${Number(seconds.toPrecision(3))} s`;
  return seconds < 7200 ? `${Number((seconds / 60).toFixed(1))} min` : `${Number((seconds / HOUR_S).toFixed(1))} h`;
}

/** Round numbers from 0 to at least `most`, about `number` of them; whole ones. */
function countTicks(most, number) {
  const rough = Math.max(1, most / number);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const ticks = [];
  for (let tick = 0; tick <= most; tick += step) ticks.push(tick);
  return ticks;
}

/** The axis of virtual time below a chart, and the scale that goes with it. */
function timeAxis(left, width, y, fromS, toS) {
  const x = (atS) => left + (width * (atS - fromS)) / (toS - fromS);
  const rough = ((toS - fromS) * 74) / width;
  const step = TIME_STEPS_S.find((size) => size >= rough) || Math.ceil(rough / (720 * HOUR_S)) * 720 * HOUR_S;
  const group = svg("g", { "aria-hidden": "true" }, svg("line", { class: "axis", x1: left, x2: left + width, y1: y, y2: y }));
  for (let tick = Math.ceil(fromS / step) * step; tick <= toS; tick += step) {
    const at = x(tick);
    const words = step >= DAY_S ? `day ${tick / DAY_S}` : step >= HOUR_S ? `${tick / HOUR_S} h` : step >= 60 ? clock(tick).slice(0, -3) : clock(tick);
    const anchor = at < left + 20 ? "start" : at > left + width - 20 ? "end" : "middle";
    group.append(
      svg("line", { class: "axis", x1: at, x2: at, y1: y, y2: y + 4 }),
      svg("text", { x: at, y: y + 17, "text-anchor": anchor }, words),
    );
  }
  group.append(svg("text", { x: left + width / 2, y: y + 33, "text-anchor": "middle" }, `${step >= DAY_S ? "days" : "hours"} since the start of the run`));
  return { x, group };
}

let charts = 0;

/** An image with a title and a description for those who do not see it. */
function picture(width, height, title, description) {
  const name = `chart-${++charts}`;
  return svg(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": `${name}-title ${name}-desc` },
    svg("title", { id: `${name}-title` }, title),
    svg("desc", { id: `${name}-desc` }, description),
  );
}

/** Draw into `host`, again whenever its width changes: text keeps its size on every screen. */
function drawn(host, draw) {
  let width = 0;
  const again = () => {
    if (host.clientWidth && host.clientWidth !== width) host.replaceChildren(draw((width = host.clientWidth)));
  };
  addEventListener("resize", again);
  again();
}

/** A share in per cent; what is there is never nothing. */
function percent(share, digits = 0) {
  const least = 10 ** -digits;
  return share > 0 && 100 * share < least ? `< ${least} %` : `${(100 * share).toFixed(digits)} %`;
}

/** Rows of text or nodes; the first row is the head, the first column names the row. A head in `plain` needs no name beside it. */
function table([head, ...rows], kind = "", caption = "", plain = []) {
  const name = (column) => kind.startsWith("wide") && !plain.includes(head[column]) && head[column];
  const cell = (value, column) => (column === 0 ? el("th", { scope: "row" }, value) : el("td", { "data-name": name(column) }, value));
  return el(
    "table",
    { class: kind },
    ...(caption ? [el("caption", {}, caption)] : []),
    el("thead", {}, el("tr", {}, ...head.map((name) => (name ? el("th", { scope: "col" }, name) : el("td"))))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map(cell)))),
  );
}

/** Names beside their colours; `entries` are [class, words]. */
function legend(host, entries) {
  host.replaceChildren(
    ...entries.map(([kind, words]) =>
      el("li", {}, el("span", { class: `swatch c-${kind} ${kind === "wanted" ? "dashed" : ""}`, "aria-hidden": "true" }), words),
    ),
  );
}
