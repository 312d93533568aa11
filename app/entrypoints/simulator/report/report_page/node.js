// The timeline of one node: what the machine did, what the chain said, which faults hit it.

const LANE = 24;
const ROWS_OF_FAULTS = 6;
const ROWS_SHOWN = 400;

/** Everything that happened to a node, from the packed marks, the plan's faults and the broken promises. */
function lifeOf(data, place) {
  const { node, farm } = place;
  const marks = [];
  let at = 0;
  for (const pack of data.timelines[place.index]) {
    at += Math.floor(pack / data.marks.length);
    marks.push([at, data.marks[pack % data.marks.length]]);
  }
  const subjects = new Set(["all", `farm ${farm}`, `node ${node}`]);
  return {
    ...place,
    marks,
    machine: spans(marks.filter(([, mark]) => !/^(target |state |lost: )/.test(mark)), data.end_s),
    target: spans([[0, "Up"], ...worded(marks, "target ")], data.end_s),
    state: spans([[0, "Up"], ...worded(marks, "state ")], data.end_s),
    faults: data.faults.filter(([, , , subject]) => subjects.has(subject)),
    violations: data.violations.filter((violation) => violation[2] === node),
  };
}

const worded = (marks, prefix) =>
  marks.filter(([, mark]) => mark.startsWith(prefix)).map(([at, mark]) => [at, mark.slice(prefix.length)]);

/** Marks as [from, to, what]; what begins twice at once began with the later mark. */
function spans(marks, endS) {
  return marks
    .map(([at, what], n) => [at, n + 1 < marks.length ? marks[n + 1][0] : endS, what])
    .filter(([from, to]) => to > from);
}

function nodeChart(data, life, view, width) {
  const [rows, hidden] = rowsOf(life.faults.filter(([at, length]) => at <= view.to && at + length >= view.from));
  const lanes = [
    ["machine", life.machine],
    ["target on chain", life.target],
    ["state on chain", life.state],
  ];
  const top = lanes.length * (LANE + 22);
  const high = top + (rows.length ? 20 + rows.length * 14 : 0) + (life.violations.length ? 36 : 0) + 8;
  const chart = picture(width, high + 40, `Timeline of node ${life.node}`, "The table below says the same in words.");
  const { x, group } = timeAxis(1, width - 2, high, view.from, view.to);
  const shown = (from, to) => [Math.max(view.from, from), Math.min(view.to, to)];
  lanes.forEach(([name, its], lane) => {
    const y = lane * (LANE + 22);
    chart.append(svg("text", { x: 0, y: y + 12 }, name));
    for (const [began, ended, what] of its) {
      const [from, to] = shown(began, ended);
      if (to > from) chart.append(condition(x(from), Math.max(1, x(to) - x(from)), y + 17, what, `${clock(began)} – ${clock(ended)}`));
    }
  });
  if (rows.length) chart.append(svg("text", { x: 0, y: top + 12 }, `faults${hidden ? ` (and ${count(hidden)} at the same times, see the table)` : ""}`));
  rows.forEach((row, n) => {
    for (const fault of row) {
      const [from, to] = shown(fault[0], fault[0] + fault[1]);
      chart.append(
        svg("rect", { class: "fill c-fault fault", x: x(from), y: top + 18 + n * 14, width: Math.max(3, x(to) - x(from)), height: 10, rx: 2 },
          svg("title", {}, faultWords(data, fault))),
      );
    }
  });
  drawViolations(data, chart, life, view, x, high);
  if (view.at !== null && view.at >= view.from && view.at <= view.to) {
    chart.append(svg("line", { class: "at", x1: x(view.at), x2: x(view.at), y1: 0, y2: high }));
  }
  chart.append(group);
  return chart;
}

/** Tall where it is on, low where it is dark: colour is not needed to see the difference. */
function condition(x, width, y, what, when) {
  const kind = { Up: "running", Down: "off" }[what] || what;
  const words = what === "off" ? "dark" : what;
  const tall = { running: LANE, frozen: LANE, off: 5 }[kind] || LANE * 0.6;
  const group = svg(
    "g", { class: `c-${kind} ${kind}` },
    svg("title", {}, `${words}: ${when}`),
    svg("rect", { class: "fill", x, y: y + LANE - tall, width, height: tall }),
  );
  if (width > 12 + 8 * words.length) {
    group.append(svg("text", { class: kind === "off" ? "" : "on", x: x + 5, y: y + (kind === "off" ? 14 : tall < LANE ? 21 : 17) }, words));
  }
  return group;
}

function drawViolations(data, chart, life, view, x, high) {
  if (!life.violations.length) return;
  chart.append(svg("text", { x: 0, y: high - 28 }, "broken promises"));
  for (const [promise, at] of life.violations) {
    if (at < view.from || at > view.to) continue;
    const [middle, y] = [x(at), high - 20];
    chart.append(
      svg("path", { class: "fill c-bad violation", d: `M${middle - 7} ${y + 14}L${middle} ${y}L${middle + 7} ${y + 14}Z` },
        svg("title", {}, `${clock(at)}: ${data.promises[promise][0]}`)),
    );
  }
}

/** Faults that go on at once stand below each other, up to a number of rows; how many found no place. */
function rowsOf(faults) {
  const rows = [];
  let hidden = 0;
  for (const fault of faults) {
    const row = rows.find((its) => its.at(-1)[0] + its.at(-1)[1] < fault[0]);
    if (row) row.push(fault);
    else if (rows.length < ROWS_OF_FAULTS) rows.push([fault]);
    else hidden += 1;
  }
  return [rows, hidden];
}

/** The same in words, in order of time. */
function nodeTable(data, life, view) {
  const happened = life.marks.map(([at, mark]) => [at, mark === "off" ? "dark" : data.lost[mark] ?? mark]);
  for (const fault of life.faults) {
    const name = `${data.kinds[fault[2]]} (${fault[3]})`;
    happened.push([fault[0], `fault: ${name}`]);
    if (fault[1]) happened.push([fault[0] + fault[1], `over: ${name}`]);
  }
  for (const [promise, at, , detail] of life.violations) happened.push([at, `BROKEN ${data.promises[promise][0]}: ${detail}`]);
  const within = happened.filter(([at]) => at >= view.from && at <= view.to).sort((one, other) => one[0] - other[0]);
  const rows = within.slice(0, ROWS_SHOWN).map(([at, what]) => [clock(at), what]);
  const more = within.length > ROWS_SHOWN ? `; the first ${ROWS_SHOWN} of ${count(within.length)}, zoom in for the others` : "";
  const made = table([["time", "what"], ...rows], "", `${clock(view.from)} to ${clock(view.to)}${more}`);
  made.querySelectorAll("tbody tr").forEach((row, n) => {
    if (view.at !== null && Math.abs(within[n][0] - view.at) < 1) row.className = "here";
  });
  return made;
}

function nodeWords(data, life) {
  const dark = life.machine.reduce((sum, [from, to, what]) => sum + (what === "off" ? to - from : 0), 0);
  const times = life.machine.filter(([, , what]) => what === "off").length;
  const some = (number, one) => `${count(number)} ${one}${number === 1 ? "" : "s"}`;
  const slept = times ? `dark ${some(times, "time")}, ${percent(dark / data.end_s)} of the run` : "never dark";
  const broken = life.violations.length ? `, ${some(life.violations.length, "broken promise")}` : "";
  return `Node ${life.node} of farm ${life.farm}: ${slept}; ${some(life.faults.length, "fault")}${broken}.`;
}
