// Mouse, keys and buttons; then the first frame.

function select(step, bring) {
  if (step < 0 || step >= stepCount || stepLane[step] < 0) return;
  state.step = step;
  if (state.past) state.past = pastOf(step);
  const lane = lanes[stepLane[step]];
  if (bring) {
    if (lane.row && lane.row.hidden) { folded.delete(lane.row.group); placeRows(); }
    const x = xOf(step), span = view.to - view.from;
    if (x < k_labels + 30 || x > width - 40) setView(at(step) - span / 2, at(step) + span / 2);
    const y = laneY(lane) - view.scroll;
    if (lane.row && (y < 10 || y > height - k_ruler - 30)) scrollTo(laneY(lane) - (height - k_ruler) / 2);
  }
  if (tab === "run") tab = "step";
  history.replaceState(null, "", "#" + step);
  showPanel(); redraw();
}
function stepBy(way) {
  let step = state.step < 0 ? (way > 0 ? stepAtValue(Math.max(0, view.from)) - 1 : stepAtValue(view.to)) : state.step;
  do step += way; while (step >= 0 && step < stepCount && stepLane[step] < 0);
  tab = "step"; select(step, true);
}
function laneBy(way) {
  if (state.step < 0) return stepBy(1);
  const shown = lanes.filter(l => laneShown(l) && l.steps.length).sort((a, b) => laneY(a) - laneY(b) || a.born - b.born), y = laneY(lanes[stepLane[state.step]]);
  const beyond = shown.filter(l => way > 0 ? laneY(l) > y : laneY(l) < y);
  if (!beyond.length) return;
  const next = laneY(beyond[way > 0 ? 0 : beyond.length - 1]);
  let best = -1;  // the nearest step of that row
  for (const lane of beyond.filter(l => laneY(l) === next)) {
    const i = lowerBound(lane.steps, state.step);
    for (const s of [lane.steps[i - 1], lane.steps[i]]) if (s !== undefined && (best < 0 || Math.abs(s - state.step) < Math.abs(best - state.step))) best = s;
  }
  tab = "step"; select(best, true);
}
function toViolation() {
  if (violationStep < 0) return;
  tab = "why"; select(violationStep, true);
  const begin = Math.max(chain.length ? chain[0] : 0, violationStep - 160);
  if (!view.byTime) setView(begin - 12, violationStep + 14); else setView(at(violationStep) - 2000, at(violationStep) + 400);
  const ys = chain.filter(s => s >= begin).map(s => lanes[stepLane[s]]).filter(laneShown).map(laneY);
  if (ys.length) { const low = Math.min(...ys), high = Math.max(...ys); scrollTo(high - low < height - 80 ? low - 30 : laneY(lanes[stepLane[violationStep]]) - 60); }
}
function toggleCone() {
  state.past = state.past || state.step < 0 ? null : pastOf(state.step);
  $("cone").className = state.past ? "on" : ""; redraw();
}
function toggleAxis() {
  const first = stepAtValue(Math.max(0, view.from)), last = stepAtValue(view.to);
  view.byTime = !view.byTime; stripImage = null;
  $("axis").textContent = view.byTime ? "time" : "steps";
  setView(at(first), at(Math.max(last, first + 1)));
}
function whole() { setView(-k_end() * .005, k_end() * 1.005); }
function setDark(dark) { document.documentElement.classList.toggle("dark", dark); readColors(); redraw(); }
function cause(way) { if (state.step >= 0) { tab = "step"; select(way < 0 ? causeOf(state.step) : effectOf(state.step), true); } }

addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === $("search")) {
    if (event.key === "Enter") { nextHit(event.shiftKey ? -1 : 1); event.preventDefault(); }
    if (event.key === "Escape") { event.target.value = ""; search(""); board.focus(); }
    return;
  }
  const wide = (view.to - view.from) * .15;
  const sameLane = way => { if (state.step < 0) return stepBy(way); tab = "step"; select(way < 0 ? before(state.step) : after(state.step), true); };
  const keys = {
    ArrowLeft: () => event.shiftKey ? sameLane(-1) : stepBy(-1), ArrowRight: () => event.shiftKey ? sameLane(1) : stepBy(1),
    ArrowUp: () => laneBy(-1), ArrowDown: () => laneBy(1), Enter: toViolation, "[": () => cause(-1), "]": () => cause(1),
    "+": () => zoom(.6), "=": () => zoom(.6), "-": () => zoom(1 / .6), 0: whole, a: () => setView(view.from - wide, view.to - wide), d: () => setView(view.from + wide, view.to + wide),
    w: () => scrollTo(view.scroll - 90), s: () => scrollTo(view.scroll + 90), PageUp: () => scrollTo(view.scroll - height * .8), PageDown: () => scrollTo(view.scroll + height * .8),
    Home: () => { tab = "step"; select(0, true); }, End: () => { tab = "step"; select(stepCount - 1, true); }, c: toggleCone, t: toggleAxis, "/": () => $("search").focus(), "?": () => { $(true).hidden = !$(true).hidden; },
    Escape: () => { $(true).hidden = true; state.step = -1; state.past = null; $("cone").className = ""; showPanel(); redraw(); }};
  if (event.key === "Enter" && event.target.tagName === "BUTTON") return;
  if (keys[event.key]) { keys[event.key](); event.preventDefault(); }
});

/// What is under the pointer: a step, a bar or a point.
function under(x, y) {
  const where = y - k_ruler + view.scroll;
  if (x < k_labels || y < k_ruler) return null;
  const row = rows.find(r => !r.hidden && where >= r.y && where < r.y + r.height);
  if (!row) return null;
  const near = row.points.filter(p => Math.abs(xOf(p.step + .4) - x) < 7).sort((p, q) => Math.abs(xOf(p.step) - x) - Math.abs(xOf(q.step) - x))[0];
  if (near) return {step: Math.min(near.step, stepCount - 1), title: near.text, words: `step ${near.step.toLocaleString("en")}, ${seconds(near.step)} s`};
  const slot = Math.floor((where - row.y) / row.slotHeight);
  let best = null;
  for (const lane of row.lanes.filter(l => l.slot === slot)) {
    const i = lowerBound(lane.steps, stepAtValue(fromX(x)) + 1);
    for (const step of [lane.steps[i - 1], lane.steps[i]]) {
      if (step === undefined) continue;
      const distance = Math.abs(xOf(step + .3) - x);
      if (distance < 9 && (!best || distance < best.distance)) best = {step, distance, title: texts[stepLabel[step]], words: `${laneName(lane)} · step ${step.toLocaleString("en")}, ${seconds(step)} s`};
    }
  }
  const bar = row.bars.find(b => (b.slot || 0) === slot && xOf(b.begin) - 2 <= x && xOf(b.end + 1) + 2 >= x && row.kind !== "header");
  if (bar && (!best || row.lanes.length === 0 || best.distance > 3)) return {step: bar.select, title: bar.tip || bar.text, words: `steps ${bar.begin.toLocaleString("en")} to ${bar.end.toLocaleString("en")}`};
  if (best) return best;
  const lane = row.lanes.find(l => l.slot === slot && xOf(l.born) <= x && xOf(endOf(l.died)) >= x);
  return lane ? {step: -1, title: lane.path, words: `steps ${lane.born.toLocaleString("en")} to ${lane.died < 0 ? "the end" : lane.died.toLocaleString("en") + ", " + lane.reason}`} : null;
}

let held = null;
board.addEventListener("mousedown", event => { held = {x: event.clientX, y: event.clientY, from: view.from, to: view.to, scroll: view.scroll, moved: false}; });
addEventListener("mousemove", event => {
  const box = board.getBoundingClientRect(), tip = $("tip");
  if (held) {
    const dx = event.clientX - held.x, dy = event.clientY - held.y;
    if (Math.abs(dx) + Math.abs(dy) > 3) { held.moved = true; board.className = "held"; }
    if (!held.moved) return;
    const shift = dx / across() * (held.to - held.from);
    setView(held.from - shift, held.to - shift); scrollTo(held.scroll - dy);
    tip.hidden = true;
    return;
  }
  const found = event.target === board ? under(event.clientX - box.left, event.clientY - box.top) : null;
  tip.hidden = !found;
  if (!found) return;
  tip.replaceChildren(element("b", {}, cut(found.title, 260)), found.words);
  tip.style.left = Math.min(event.clientX + 14, innerWidth - 470) + "px"; tip.style.top = Math.min(event.clientY + 16, innerHeight - 90) + "px";
});
addEventListener("mouseup", event => {
  const was = held;
  held = null; board.className = "";
  if (!was || was.moved || event.target !== board) return;
  const box = board.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  const row = rows.find(r => !r.hidden && r.kind === "header" && y > k_ruler && y - k_ruler + view.scroll >= r.y && y - k_ruler + view.scroll < r.y + r.height);
  if (row && (x < k_labels || !row.lanes.length)) {
    if (folded.has(row.opens)) folded.delete(row.opens); else folded.add(row.opens);
    placeRows(); scrollTo(view.scroll);
    return;
  }
  const found = under(x, y);
  if (found && found.step >= 0) { tab = "step"; select(found.step, false); }
});
board.addEventListener("wheel", event => {
  event.preventDefault();
  const x = event.clientX - board.getBoundingClientRect().left, span = view.to - view.from;
  if (event.ctrlKey || event.metaKey) return zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * .006), x);
  const dx = event.shiftKey ? event.deltaY : event.deltaX;
  if (dx) setView(view.from + dx / across() * span, view.to + dx / across() * span);
  if (!event.shiftKey) scrollTo(view.scroll + event.deltaY);
}, {passive: false});

let choosing = null;
const stripValue = event => (event.clientX - strip.getBoundingClientRect().left - k_labels) / across() * k_end();
strip.addEventListener("mousedown", event => { choosing = {value: stripValue(event), x: event.clientX}; });
addEventListener("mousemove", event => { if (choosing && Math.abs(event.clientX - choosing.x) > 4) setView(Math.min(choosing.value, stripValue(event)), Math.max(choosing.value, stripValue(event))); });
addEventListener("mouseup", event => {
  if (choosing && Math.abs(event.clientX - choosing.x) <= 4) { const half = Math.min((view.to - view.from) / 2, k_end() / 8); setView(choosing.value - half, choosing.value + half); }
  choosing = null;
});

for (const [id, action] of Object.entries({back: () => stepBy(-1), forward: () => stepBy(1), in: () => zoom(.6), out: () => zoom(1 / .6), fit: whole, axis: toggleAxis, cone: toggleCone,
  verdict: toViolation, help: () => { $(true).hidden = !$(true).hidden; }, theme: () => setDark(!document.documentElement.classList.contains("dark"))})) $(id).onclick = action;
for (const button of document.querySelectorAll("aside nav button")) button.onclick = () => { tab = button.dataset.tab; showPanel(); };
$("search").oninput = event => search(event.target.value);
addEventListener("resize", resize);
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
prefersDark.onchange = () => setDark(prefersDark.matches);

$("subject").textContent = `${data.scenario} ${data.seed}`;
$("verdict").textContent = violation ? violation.property : "passed";
if (violation) $("verdict").className = "bad";
$("facts").textContent = [`${requests.length.toLocaleString("en")} requests`, `${transactions.filter(t => t.logged >= 0).length} commits`, ...["restart", "fault"].map(kind => [happenings.filter(h => h.kind === kind).length, kind]).map(([count, kind]) => `${count} ${kind}${count === 1 ? "" : "s"}`)].join(" · ");
setDark(prefersDark.matches);
resize();
whole();
foldInstances();
const asked = Number(location.hash.slice(1));
if (location.hash.length > 1 && asked < stepCount) { tab = "step"; setView(asked - 60, asked + 60); select(asked, true); } else if (violation) toViolation();
showPanel();
draw();
document.body.dataset.ready = String(Math.round(performance.now()));
