// The charts of the whole run; each draws for the width it is given.

const FAULTS_DRAWN = 40;
const CONDITIONS = [
  ["running", "running"],
  ["off", "dark"],
  ["booting", "booting"],
  ["stopping", "stopping"],
  ["frozen", "frozen"],
];

/** Faults for the background: all of them, else those of whole farms and of the chain, else none. */
function faultsToDraw(data) {
  const wide = data.faults.filter(([, , , subject]) => !subject.startsWith("node"));
  return data.faults.length <= FAULTS_DRAWN ? data.faults : wide.length <= FAULTS_DRAWN ? wide : [];
}

function faultWords(data, [at, length, kind, subject]) {
  return `${data.kinds[kind]}, ${subject}: ${clock(at)}${length ? ` for ${span(length)}` : ""}`;
}

function overTime(data, width, readout) {
  const height = Math.min(320, Math.max(220, width * 0.4));
  const left = 14 + 7 * count(data.nodes).length;
  const [top, bottom] = [8, 42];
  const [across, down] = [width - left - 6, height - top - bottom];
  const picked = picture(
    width, height, "Nodes up and down over time",
    "Nodes running, nodes dark, and nodes whose target is Up, over the hours of the run. Arrow keys move through it.",
  );
  picked.setAttribute("tabindex", "0");
  const { x, group } = timeAxis(left, across, top + down, 0, data.end_s);
  const y = (nodes) => top + down * (1 - nodes / data.nodes);
  for (const fault of faultsToDraw(data)) {
    const [at, length] = fault;
    const band = { x: x(at), width: Math.max(1.5, x(at + length) - x(at)) };
    picked.append(
      svg("g", { class: "c-fault fault" },
        svg("title", {}, faultWords(data, fault)),
        svg("rect", { class: "band", y: top, height: down, ...band }),
        svg("rect", { class: "fill", y: top + down - 4, height: 4, ...band })),
    );
  }
  const line = (height_of) => data.series.map((point, n) => `${n ? "L" : "M"}${x(point[0]).toFixed(1)} ${y(height_of(point)).toFixed(1)}`).join("");
  const closed = (path, edge) => `${path}L${x(data.series.at(-1)[0])} ${edge}L${x(data.series[0][0])} ${edge}Z`;
  const running = line((point) => point[1]);
  const dark = line((point) => data.nodes - point[2]);
  picked.append(
    svg("path", { class: "area c-off", d: closed(dark, top) }),
    svg("path", { class: "area c-running", d: closed(running, top + down) }),
  );
  for (const tick of countTicks(data.nodes, 5)) {
    picked.append(
      svg("line", { class: "grid", x1: left, x2: left + across, y1: y(tick), y2: y(tick) }),
      svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end", "aria-hidden": "true" }, count(tick)),
    );
  }
  picked.append(
    svg("path", { class: "curve c-running", d: running }),
    svg("path", { class: "curve dashed c-wanted", d: line((point) => point[3]) }),
    group,
    ...data.violations.map(([promise, at, node]) =>
      svg("path", { class: "fill c-bad violation", d: `M${x(at) - 5} ${top}L${x(at) + 5} ${top}L${x(at)} ${top + 9}Z` },
        svg("title", {}, `${clock(at)}: ${data.promises[promise][0]}${node ? `, node ${node}` : ""}`))),
  );
  readAlong(picked, data, { x, left, across, top, down }, readout);
  return picked;
}

/** A line under the pointer (or moved by the arrow keys), and the numbers there. */
function readAlong(picked, data, { x, left, across, top, down }, readout) {
  const cursor = svg("line", { class: "cursor", y1: top, y2: top + down, visibility: "hidden" });
  picked.append(cursor);
  let index = -1;
  const show = (wanted) => {
    index = Math.max(0, Math.min(data.series.length - 1, wanted));
    const [at, running, dark, up] = data.series[index];
    filled(cursor, { x1: x(at), x2: x(at), visibility: "visible" }, []);
    readout.textContent = `${clock(at)}: ${count(running)} running, ${count(dark)} dark, ${count(up)} wanted up`;
  };
  const point = (event) => {
    const at = ((event.clientX - picked.getBoundingClientRect().left - left) / across) * data.end_s;
    const after = data.series.findIndex((its) => its[0] >= at);
    show(after < 0 ? data.series.length : after);
  };
  for (const way of ["pointermove", "pointerdown"]) picked.addEventListener(way, point);
  picked.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 }[event.key];
    if (!step) return;
    event.preventDefault();
    show(index + step);
  });
}

/** One bar, divided as the nodes spent their time. */
function conditions(data, width) {
  const total = Object.values(data.seconds_in).reduce((sum, seconds) => sum + seconds, 0);
  const bar = picture(width, 26, "How the nodes spent their time", "The numbers are in the legend below.");
  let left = 0;
  for (const [name, words] of CONDITIONS) {
    const share = (data.seconds_in[name] || 0) / total;
    if (!share) continue;
    const wide = share * width;
    bar.append(svg("rect", { class: `fill c-${name}`, x: left, y: 0, width: Math.max(1, wide - 1), height: 26, rx: 2 }, svg("title", {}, words)));
    if (wide > 80) bar.append(svg("text", { class: "on", x: left + 8, y: 17 }, `${words} ${percent(share)}`));
    left += wide;
  }
  return bar;
}

/** The bars of a distribution as [words, number]; the last one holds the times beyond the others, if there are any. */
function barsOf({ step_s, counts, longer }) {
  const bars = counts.map((number, n) => [`${span(n * step_s)} to ${span((n + 1) * step_s)}`, number]);
  return longer ? [...bars, [`${span(counts.length * step_s)} and more`, longer]] : bars;
}

/** Every bar stands for the same length of time, except the last one, in another colour. */
function histogram(distribution, width) {
  const { name, step_s, counts, longer } = distribution;
  const bars = barsOf(distribution);
  const most = Math.max(...bars.map(([, number]) => number));
  const [left, top, down] = [14 + 7 * count(most).length, 20, 110];
  const across = width - left - 6;
  const chart = picture(width, top + down + 38, `Distribution: ${name}`, "How many wakes took how long; the numbers are in the table of bars.");
  const slot = across / bars.length;
  const y = (number) => top + down * (1 - number / most);
  for (const tick of countTicks(most, 4)) {
    chart.append(
      svg("line", { class: "grid", x1: left, x2: left + across, y1: y(tick), y2: y(tick) }),
      svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end", "aria-hidden": "true" }, count(tick)),
    );
  }
  chart.append(svg("text", { x: 0, y: 10, "aria-hidden": "true" }, "number of wakes"));
  bars.forEach(([words, number], n) => {
    if (!number) return;
    const tall = Math.max(2, top + down - y(number));
    chart.append(
      svg("rect", { class: `fill c-${n < counts.length ? "running" : "fault"}`, x: left + n * slot + 0.5, y: top + down - tall, width: Math.max(1, slot - 1), height: tall },
        svg("title", {}, `${words}: ${count(number)} wakes`)),
    );
  });
  const ends = left + counts.length * slot;
  const [unit, words] = counts.length * step_s > 5 * HOUR_S ? [HOUR_S, "h"] : counts.length * step_s > 300 ? [60, "min"] : [1, "s"];
  const every = [1, 2, 5, 10, 12, 20, 30].find((between) => between * slot >= 60) || counts.length;
  for (let n = 0; n <= counts.length; n += every) {
    const x = left + n * slot;
    const room = x > left + across - 24 ? "end" : n ? "middle" : "start";
    chart.append(
      svg("line", { class: "axis", x1: x, x2: x, y1: top + down, y2: top + down + 4 }),
      svg("text", { x, y: top + down + 17, "text-anchor": room, "aria-hidden": "true" }, `${Number(((n * step_s) / unit).toFixed(1))} ${words}`),
    );
  }
  const axis = longer ? `time it took; the last bar: ${span(counts.length * step_s)} and more` : "time it took";
  chart.append(
    svg("line", { class: "axis", x1: left, x2: ends, y1: top + down, y2: top + down }),
    svg("text", { x: left + across / 2, y: top + down + 33, "text-anchor": "middle", "aria-hidden": "true" }, axis),
  );
  return chart;
}

/** Bars with their words above, so that they fit on every screen. */
function energyBars(data, width) {
  const most = Math.max(...data.energy.map((bar) => bar.kwh), 1e-9);
  const bars = picture(width, data.energy.length * 50, "Energy, against that of nodes that never sleep", "The numbers are in the table below.");
  data.energy.forEach(({ name, kwh, text, money }, n) => {
    const kind = { "no sleep": "off", "this run": "running" }[name] || "booting";
    bars.append(
      svg("text", { class: "strong", x: 0, y: n * 50 + 13 }, `${name}: ${text}, ${money}`),
      svg("rect", { class: `fill c-${kind}`, x: 0, y: n * 50 + 20, rx: 2, height: 18, width: Math.max(1, (width * Math.max(0, kwh)) / most) }),
    );
  });
  return bars;
}
