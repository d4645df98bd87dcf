// The panel beside the lanes: why the property is violated, the selected step, the run; and search.

const panel = $("panel");
let tab = violation ? "why" : "run";

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name === "onclick") made.onclick = value; else if (name === "color") made.style.background = `var(--${value})`; else made.setAttribute(name, value);
  made.append(...children.filter(c => c !== null && c !== undefined));
  return made;
}
/// A line that leads to a step.
function item(step, hue, words, small) {
  const made = element("div", {class: step === state.step ? "item on" : "item", "data-step": step, onclick: () => select(step, true)},
    element("span", {class: "dot", color: hue}), element("span", {class: "number"}, step >= 0 ? step.toLocaleString("en") : "–"),
    element("span", {class: "words"}, words, small ? element("small", {}, small) : null));
  return made;
}
function section(title, items) { return items.length ? [element("h2", {}, title), ...items] : []; }
const cut = (text, size = 150) => text.length > size ? text.slice(0, size) + "…" : text;
const hueOf = step => { const lane = lanes[stepLane[step]]; return lane.kind === 1 ? "violet" : lane.path.startsWith("/world/client[") ? "green" : lane.path.startsWith("/world/") ? "amber" : lane.path.includes("/request[") ? "blue" : "slate"; };

// -- why ----------------------------------------------------------------------------------------
/// What happened to the client that objects, to its shape and its table, up to the violation.
function story() {
  const client = violation.client && clientLane.get(violation.client), until = violationStep, told = [];
  const own = client ? requests.filter(r => r.lane === client.number && r.sent <= until) : [];
  const shapeName = own.map(r => texts[r.shape]).find(Boolean), shape = data.shapes.find(s => s.name === shapeName);
  const handles = new Set(own.map(r => texts[r.handle]).filter(Boolean));
  const last = (list, count) => list.slice(Math.max(0, list.length - count));
  for (const r of last(own, 9)) told.push({step: r.answered >= 0 && r.answered <= until ? r.answered : r.sent, hue: requestColor(r), words: `${violation.client} asks after ${offsetAsked(r)}: ${outcome(r)}`, small: texts[r.handle] ? `handle ${texts[r.handle]}` : ""});
  const touching = transactions.filter(t => t.begun <= until && t.xid !== "0" && (t.shown !== 0 || t.sql) && (!shape || !t.sql || t.sql.includes(`"${shape.table}"`)));
  for (const t of last(touching, 7)) told.push({step: t.logged >= 0 ? t.logged : t.begun, hue: "amber", words: t.ended >= 0 ? `transaction ${t.xid} is undone` : `transaction ${t.xid} commits` + (t.shown > t.logged ? `, visible at ${t.shown.toLocaleString("en")}` : "") + (t.flushed > t.logged ? `, flushed at ${t.flushed.toLocaleString("en")}` : ""), small: cut(t.sql.replace(/^; /, ""), 170)});
  for (const h of happenings) if (h.step <= until) told.push({step: h.step, hue: h.kind === "restart" ? "amber" : "pink", words: happeningText(h), small: h.victim || ""});
  for (const d of disk) if (d.failed && d.step <= until) told.push({step: d.step, hue: "red", words: `disk: ${d.what} fails`, small: `instance i${d.instance}`});
  for (const n of notes) if (n.step <= until && (![...n.text.matchAll(/handle=(\S+)/g)].length || [...handles].some(h => n.text.includes(h)))) told.push({step: n.step, hue: "violet", words: cut(n.text), small: n.lane >= 0 ? laneName(lanes[n.lane]) : ""});
  const dead = lanes.filter(l => l.died >= 0 && l.died <= until && !instanceOf(l.path).startsWith("world") && !["normal", "killed"].includes(l.reason) && !l.reason.startsWith("shutdown"));
  for (const l of last(dead, 5)) told.push({step: l.died, hue: "red", words: `${laneName(l)} ends: ${cut(l.reason, 80)}`});
  told.sort((a, b) => b.step - a.step);
  const merged = [];  // the same again and again is said once
  for (const one of told) {
    const before = merged[merged.length - 1];
    if (before && before.words === one.words) before.times++; else merged.push({...one, times: 1});
  }
  return merged;
}
let told = null;
function showWhy() {
  if (!violation) return [element("h1", {}, "Nothing is violated"), element("p", {class: "soft"}, "Every property held in this run.")];
  told = told || story();
  const others = violations.slice(1, 30).map(v => item(v.step, "red", v.property, cut(v.what)));
  return [element("h1", {class: "bad"}, violation.property), element("p", {}, violation.what),
    element("p", {class: "soft"}, `${violation.client ? "client " + violation.client + ", " : ""}step ${violationStep.toLocaleString("en")}, ${seconds(violationStep)} s`),
    ...section("What led to it, latest first", [item(violationStep, "red", "the oracle objects"), ...told.map(t => item(t.step, t.hue, t.times > 1 ? `${t.words} (${t.times} times)` : t.words, t.small))]),
    ...section("Last causes, step by step, latest first (the red line)", [...chain].reverse().map(s => item(s, hueOf(s), texts[stepLabel[s]], laneName(lanes[stepLane[s]])))),
    ...section(`Also violated (${violations.length - 1})`, others)];
}

// -- step ---------------------------------------------------------------------------------------
function arrowItem(arrow, step, lane, way) {
  // What a woken lane goes on with is in the label of the step that does.
  const label = A.kind[arrow] === K.wake && A.to_step[arrow] >= 0 ? texts[stepLabel[A.to_step[arrow]]] : texts[A.label[arrow]];
  const name = `${arrowNames[A.kind[arrow]]} ${label}`.trim();
  if (step < 0) return item(-1, "dim", `${name}: never taken up`, lane >= 0 ? `${way} ${laneName(lanes[lane])}` : "");
  return item(step, arrowHues[A.kind[arrow]], name, `${way} ${laneName(lanes[lane])}`);
}
function showStep() {
  const step = state.step;
  if (step < 0) return [element("p", {class: "soft"}, "No step is selected. Click on one, or press → .")];
  const lane = lanes[stepLane[step]], here = list => list.filter(x => x.step === step);
  const previous = before(step), next = after(step), within = [];
  for (const r of requests) {
    if (r.sent === step) within.push(element("p", {}, "asks"), element("pre", {}, r.asked));
    if (r.answered === step) within.push(element("p", {}, `is answered: ${outcome(r)}`), element("pre", {}, `${r.asked}\n${texts[r.handle] ? "electric-handle: " + texts[r.handle] + "\n" : ""}${r.offset ? "electric-offset: " + r.offset + "\n" : ""}\n${r.body}`));
  }
  for (const t of transactions) for (const [when, what] of [["begun", "begins"], ["logged", "writes its commit record"], ["flushed", "is on the server's disk"], ["shown", "is visible"], ["ended", "is undone"]])
    if (t[when] === step && t.xid !== "0") within.push(element("p", {}, `transaction ${t.xid} ${what}`), when === "logged" && t.sql ? element("pre", {}, t.sql.replace(/^; /, "").replaceAll("; ", ";\n")) : null);
  for (const d of here(disk)) within.push(element("p", {class: d.failed ? "bad" : ""}, `disk: ${d.what}${d.failed ? " fails" : ""}`));
  for (const c of here(confirmed)) within.push(element("p", {}, `confirmed to Postgres: ${c.lsn}`));
  for (const t of tables) for (const [when, what] of [["made", "is made"], ["opened", "can be read"], ["ended", "is gone"]]) if (t[when] === step && !(when === "opened" && t.made === step)) within.push(element("p", {}, `table ${t.name} ${what}`));
  for (const l of lanes) if (l.died === step) within.push(element("p", {}, `${laneName(l)} ends: ${l.reason}`));
  for (const n of here(notes)) within.push(element("p", {}, n.text));
  for (const h of happenings) if (h.step === step) within.push(element("p", {}, happeningText(h)));
  for (const v of violations) if (v.step === step) within.push(element("p", {class: "bad"}, `violated: ${v.property}`), element("p", {}, v.what));
  return [element("h1", {}, texts[stepLabel[step]]), element("p", {class: "soft"}, lane.path),
    element("p", {}, `step ${step.toLocaleString("en")}, ${seconds(step)} s${decided.has(step) ? ", chosen by the schedule out of turn" : ""}`),
    element("p", {class: "soft"}, `lane: steps ${lane.born.toLocaleString("en")} to ${lane.died < 0 ? "the end" : `${lane.died.toLocaleString("en")}, ${lane.reason}`}`),
    ...section("In this step", within),
    ...section("Because of", [...[...arrowsInto(step)].map(a => arrowItem(a, A.from_lane[a] < 0 ? -1 : A.from_step[a], A.from_lane[a], "from")), ...(previous >= 0 ? [item(previous, "slate", texts[stepLabel[previous]], "the step before on this lane")] : [])]),
    ...section("Leads to", [...[...arrowsFrom(step)].map(a => arrowItem(a, A.to_step[a], A.to_lane[a], "to")), ...(next >= 0 ? [item(next, "slate", texts[stepLabel[next]], "the next step on this lane")] : [])])];
}

function showRun() {
  const legend = [["slate", "process"], ["blue", "request"], ["violet", "store job, log written"], ["green", "client, shown, up to date"], ["amber", "writer, restart, 409"], ["teal", "table, reply"], ["pink", "fault"], ["red", "violation, crash"]];
  return [element("h1", {}, `${data.scenario}, seed ${data.seed}`), element("pre", {}, data.plan), ...section("Show it again", [element("pre", {}, data.command), element("p", {class: "soft"}, `trace hash ${data.hash}`)]),
    ...section("Colours", legend.map(([hue, words]) => element("div", {class: "item"}, element("span", {class: "dot", color: hue}), words)))];
}

function showPanel() {
  for (const button of document.querySelectorAll("aside nav button")) button.className = button.dataset.tab === tab ? "on" : "";
  const top = panel.dataset.tab === tab ? panel.scrollTop : 0;
  panel.replaceChildren(...(tab === "why" ? showWhy() : tab === "step" ? showStep() : showRun()));
  panel.dataset.tab = tab;
  panel.scrollTop = tab === "step" ? 0 : top;
}

// -- search -------------------------------------------------------------------------------------
function search(words) {
  state.hits = []; state.hitSet = new Set(); state.hitLanes = new Set();
  const wanted = words.trim().toLowerCase();
  if (wanted) {
    const says = texts.map(t => t.toLowerCase().includes(wanted)), has = t => t && t.toLowerCase().includes(wanted), steps = new Set();
    for (const lane of lanes) if (has(lane.path)) { state.hitLanes.add(lane.number); if (lane.steps.length) steps.add(lane.steps[0]); }
    for (let step = 0; step < stepCount; ++step) if (says[stepLabel[step]] && stepLane[step] >= 0) steps.add(step);
    for (let a = 0; a < arrowCount; ++a) if (says[A.label[a]] && A.from_lane[a] >= 0 && A.from_step[a] < stepCount) steps.add(A.from_step[a]);
    for (const r of requests) if (has(r.asked) || says[r.handle] || says[r.shape] || has(r.offset) || has(r.body)) steps.add(r.answered >= 0 && r.answered < stepCount ? r.answered : r.sent);
    for (const t of transactions) if (has(t.sql) || t.xid === wanted || t.lsn === wanted) steps.add(t.logged >= 0 ? t.logged : t.begun);
    for (const n of notes) if (has(n.text)) steps.add(n.step);
    for (const d of disk) if (has(d.what)) steps.add(d.step);
    state.hits = [...steps].filter(s => s < stepCount && stepLane[s] >= 0).sort((a, b) => a - b).map(step => ({step}));
    state.hitSet = new Set(state.hits.map(h => h.step));
  }
  $("hits").textContent = wanted ? `${state.hits.length.toLocaleString("en")}` : "";
  redraw();
}
function nextHit(way) {
  if (!state.hits.length) return;
  const found = way > 0 ? state.hits.find(h => h.step > state.step) : state.hits.findLast(h => h.step < state.step);
  tab = "step";
  select((found || state.hits[way > 0 ? 0 : state.hits.length - 1]).step, true);
}
