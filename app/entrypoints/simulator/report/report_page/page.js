// Puts the page together, and lets one choose a node.

const AROUND_S = 1800;
const NARROWEST_S = 60;
const FAULTS_LISTED = 1000;
const VIOLATIONS_SHOWN = 12;
const CREDITED_SHOWN = 12;

const data = JSON.parse(byId("data").textContent);
const places = new Map();
for (const [farm, nodes] of data.farms) {
  for (const node of nodes) places.set(node, { node, farm, index: places.size });
}
const ids = [...places.keys()];

function head() {
  byId("about").textContent = data.about;
  byId("verdict").textContent = data.verdict;
  byId("left-out").textContent = data.left_out.length ? `This is too much for one page. ${data.left_out.join(" ")}` : "";
  byId("left-out").hidden = !data.left_out.length;
  if (!data.kept) byId("verdict").className = "broken";
  atRisk();
  for (const [what, value, note] of data.tiles) {
    byId("tiles").append(
      el("div", {}, el("dt", {}, what), el("dd", { class: "value" }, value), el("dd", { class: "note" }, note)),
    );
  }
}

function atRisk() {
  if (!data.at_risk.length) return;
  const nodes = new Set(data.at_risk.map(([node]) => node)).size;
  const list = el("ul", {}, ...data.at_risk.map(([node, why]) => el("li", {}, el("a", { href: `#node-${node}-at-0` }, `node ${node}`), `: ${why}`)));
  byId("at-risk").append(el("details", {}, el("summary", {}, `Nodes at risk: ${count(nodes)}. The farmer may lose them, whatever powerd does.`), list));
  byId("at-risk").hidden = false;
}

const hours = (seconds) => (seconds < 10 * HOUR_S ? String(Number((seconds / HOUR_S).toPrecision(2))) : count(seconds / HOUR_S));

function wholeRun() {
  const readout = byId("over-time-readout");
  readout.textContent = "Point at the chart, and read the numbers of that time here.";
  legend(byId("over-time-legend"), [["running", "running"], ["off", "dark (no power)"], ["wanted", "wanted up (target Up)"], ...(faultsToDraw(data).length ? [["fault", "fault"]] : []), ...(data.kept ? [] : [["bad", "broken promise"]])]);
  drawn(byId("over-time-chart"), (width) => overTime(data, width, readout));
  const [all, some] = [data.faults.length, faultsToDraw(data).length];
  if (all > some) {
    byId("over-time-faults").textContent =
      `${some ? `Behind it: the ${some} faults of whole farms and of the chain` : "No faults are drawn behind it"}; all ${count(all)} are too many to draw, and are listed below.`;
  }
  drawn(byId("conditions-chart"), (width) => conditions(data, width));
  const total = data.nodes * data.end_s;
  legend(
    byId("conditions-legend"),
    CONDITIONS.filter(([name]) => data.seconds_in[name]).map(([name, words]) => [
      name,
      `${words} ${percent(data.seconds_in[name] / total, 1)} (${hours(data.seconds_in[name])} node hours)`,
    ]),
  );
  const every = Math.ceil(data.series.length / 49);
  const rows = data.series.filter((_, n) => n % every === 0 || n === data.series.length - 1);
  byId("over-time-table").append(
    table([["time", "running", "dark", "wanted up"], ...rows.map(([at, ...numbers]) => [clock(at), ...numbers.map(count)])], "numbers"),
  );
}

function promises() {
  const broken = data.promises.filter(([, , times]) => times);
  const body = byId("promises-body");
  if (broken.length) {
    const listed = data.violations.length;
    const times = broken.reduce((sum, [, , number]) => sum + number, 0);
    body.append(
      table([["promise", "broken", "what it says"], ...broken.map(([name, text, number]) => [name, el("span", { class: "broken-word" }, `${count(number)} ×`), text])], "wide", "", ["what it says"]),
      el("h3", {}, listed < times ? `The first ${count(listed)} of ${count(times)} violations` : "Violations"),
      violations(data.violations.slice(0, VIOLATIONS_SHOWN)),
    );
    const others = data.violations.slice(VIOLATIONS_SHOWN);
    if (others.length) body.append(el("details", {}, el("summary", {}, `${count(others.length)} more violations`), violations(others)));
  } else {
    body.append(el("p", {}, data.promises.length ? "No violations." : "Nothing was watched: this run had no promises."));
  }
  const kept = data.promises.filter(([, , number]) => !number);
  if (!kept.length) return;
  const list = table([["promise", "", "what it says"], ...kept.map(([name, text]) => [name, el("span", { class: "kept-word" }, "kept"), text])], "wide", "", ["what it says"]);
  body.append(el("details", {}, el("summary", {}, `${kept.length} promises that were kept`), list));
}

function violations(some) {
  return table(
    [["time", "node", "promise", "what happened"],
      ...some.map(([promise, at, node, detail]) => [
        node ? el("a", { href: `#node-${node}-at-${at}` }, clock(at)) : clock(at),
        node ? String(node) : "none alone",
        data.promises[promise][0],
        detail,
      ])],
    "wide",
    "",
    ["promise", "what happened"],
  );
}

function latency() {
  const host = byId("latency-charts");
  if (!data.distributions.length) host.append(el("p", {}, "No node was woken in this run."));
  data.distributions.forEach((distribution) => {
    const place = el("div");
    host.append(el("h3", {}, distribution.name), place);
    drawn(place, (width) => histogram(distribution, width));
  });
  byId("latency-table").append(table(data.spreads, "wide numbers", "Time from the target Up of a dark node; for deployments, from their arrival."));
  for (const distribution of data.distributions) {
    const bars = barsOf(distribution).filter(([, number]) => number);
    byId("latency-bars").append(table([["time it took", "wakes"], ...bars.map(([words, number]) => [words, count(number)])], "numbers", distribution.name));
  }
  if (!data.distributions.length) byId("latency-bars").parentElement.remove();
}

function figures() {
  drawn(byId("energy-chart"), (width) => energyBars(data, width));
  byId("energy-table").append(
    table([["", "energy", "money", "share"], ...data.energy.map(({ name, text, money, share }) => [name, text, money, share])], "wide numbers"),
  );
  byId("energy-note").textContent = data.energy_note;
  byId("traffic-table").append(table(data.traffic, "wide numbers"));
  byId("figures-table").append(table([["figure", "value"], ...data.figures]));
}

function credited() {
  const [all, shown] = [data.nodes, data.credited.length];
  const listed = (rows) => table([["node", "", "credited", ""], ...rows]);
  const rows = data.credited.map(([node, share, why]) => [
    el("a", { href: `#node-${node}-at-0` }, String(node)),
    el("meter", { min: "0", max: "1", low: "0.95", high: "0.99", optimum: "1", value: String(share) }, percent(share, 2)),
    percent(share, 2),
    why ? el("span", { class: "broken-word" }, `month lost: ${why}`) : "",
  ]);
  byId("credited-body").append(
    el("p", { class: "quiet" }, `The grid pays for the time that it credits, and nothing for a month below 95 %.${shown < all ? ` The ${count(shown)} least credited of ${count(all)} nodes.` : ""}`),
    listed(rows.slice(0, CREDITED_SHOWN)),
  );
  const others = rows.slice(CREDITED_SHOWN);
  if (others.length) byId("credited-body").append(el("details", {}, el("summary", {}, `${count(others.length)} more nodes, each ${data.credited[CREDITED_SHOWN][1] < 1 ? "at least " : ""}${percent(data.credited[CREDITED_SHOWN][1], 2)}`), listed(others)));
}

function faults() {
  const body = byId("faults-body");
  if (!data.faults.length) return body.append(el("p", {}, "Nothing was made to go wrong."));
  const rows = data.faults.slice(0, FAULTS_LISTED).map(([at, length, kind, subject, amount], n) => [
    `${n + 1}`,
    data.kinds[kind],
    subject.startsWith("node ") ? el("a", { href: `#node-${subject.slice(5)}-at-${at}` }, subject) : subject,
    clock(at),
    length ? span(length) : "a moment",
    amount ? String(amount) : "–",
  ]);
  const all = data.faults.length > FAULTS_LISTED ? `The first ${count(FAULTS_LISTED)} of ${count(data.faults.length)}` : `All ${count(data.faults.length)}`;
  body.append(el("p", {}, `${count(data.faults.length)} of ${count(data.kinds.length)} kinds; the last ${span(data.calm_s)} of the run have none, so that every fault can be over by the end.`));
  const made = table([["number", "fault", "of", "from", "for", "amount"], ...rows], "wide", "The numbers are those of --only-faults.");
  return body.append(el("details", {}, el("summary", {}, `${all}, as a table`), made));
}

// -- one node ----------------------------------------------------------------------------------------

const view = { from: 0, to: data.end_s, at: null };
let life = null;

/** Show this part of the chosen node's time. */
function look(from, to) {
  const length = Math.min(data.end_s, Math.max(NARROWEST_S, to - from));
  view.from = Math.max(0, Math.min(data.end_s - length, from));
  view.to = view.from + length;
  byId("node-chart").replaceChildren(nodeChart(data, life, view, byId("node-chart").clientWidth));
  byId("node-table").replaceChildren(nodeTable(data, life, view));
  byId("node-earlier").disabled = view.from <= 0;
  byId("node-later").disabled = view.to >= data.end_s;
  byId("node-in").disabled = length <= NARROWEST_S;
  byId("node-out").disabled = byId("node-all").disabled = length >= data.end_s;
}

/** Choose a node, and the time to look at; null: the whole run. */
function choose(node, at) {
  const place = places.get(node);
  const about = byId("node-about");
  about.className = place ? "" : "wrong";
  if (!place) {
    about.textContent = `There is no such node; they are ${Math.min(...ids)} to ${Math.max(...ids)}.`;
    return;
  }
  life = lifeOf(data, place);
  about.textContent = nodeWords(data, life);
  byId("node-id").value = String(node);
  byId("node-before").disabled = place.index === 0;
  byId("node-after").disabled = place.index === ids.length - 1;
  view.at = at;
  if (at === null) look(0, data.end_s);
  else look(at - AROUND_S, at + AROUND_S);
}

function byHand(node) {
  choose(node, null);
  if (places.has(node)) history.replaceState(null, "", `#node-${node}`);
}

/** Follow `#node-7` and `#node-7-at-3600`. */
function follow() {
  const wanted = /^#node-(\d+)(?:-at-([\d.]+))?$/.exec(location.hash);
  if (!wanted) return;
  choose(Number(wanted[1]), wanted[2] === undefined ? null : Number(wanted[2]));
  if (wanted[2] !== undefined) byId("node-details").open = true;
  byId("node").scrollIntoView();
  byId("h-node").focus({ preventScroll: true });
}

/** The node that has most to show: of the first violation, else with the most marks. */
function interesting() {
  const violation = data.violations.find((its) => places.has(its[2]));
  if (violation) return violation[2];
  return ids.reduce((best, node) =>
    data.timelines[places.get(node).index].length > data.timelines[places.get(best).index].length ? node : best);
}

function oneNode() {
  const shift = (share) => look(view.from + share * (view.to - view.from), view.to + share * (view.to - view.from));
  const zoom = (factor) => {
    const middle = view.at !== null && view.at > view.from && view.at < view.to ? view.at : (view.from + view.to) / 2;
    look(middle - ((view.to - view.from) * factor) / 2, middle + ((view.to - view.from) * factor) / 2);
  };
  const beside = (step) => byHand(ids[places.get(life.node).index + step]);
  const clicks = {
    "node-before": () => beside(-1), "node-after": () => beside(1),
    "node-earlier": () => shift(-0.5), "node-later": () => shift(0.5),
    "node-in": () => zoom(1 / 3), "node-out": () => zoom(3), "node-all": () => look(0, data.end_s),
  };
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
  byId("node-form").addEventListener("submit", (event) => {
    event.preventDefault();
    byHand(Number(byId("node-id").value));
  });
  legend(byId("node-legend"), [...CONDITIONS.map(([name, words]) => [name, { running: "running, Up", off: "dark, Down" }[name] || words]), ["fault", "fault"], ["bad", "broken promise"]]);
  addEventListener("hashchange", follow);
  addEventListener("resize", () => look(view.from, view.to));
  choose(interesting(), null);
  follow();
}

for (const part of [head, wholeRun, promises, latency, figures, credited, faults, oneNode]) part();
