// What is on the page, and where: steps, causes, rows. Knows nothing of the screen.

const texts = data.texts, lanes = data.lanes.map(([path, kind, born, died, reason], number) =>
  ({number, path, kind, born, died, reason, steps: [], row: null, slot: 0}));
const stepLane = Int32Array.from(data.steps.lane), stepLabel = data.steps.label, stepCount = stepLane.length;
const stepTime = new Float64Array(stepCount + 1);  // microseconds
for (let step = 0, at = 0; step < stepCount; ++step) stepTime[step] = at += data.steps.time[step];
stepTime[stepCount] = stepCount ? stepTime[stepCount - 1] + 1 : 1;
const decided = new Set(data.steps.decided);
const placeInLane = new Int32Array(stepCount);  // which step of its lane it is
for (let step = 0; step < stepCount; ++step) {
  if (stepLane[step] < 0) continue;
  placeInLane[step] = lanes[stepLane[step]].steps.length;
  lanes[stepLane[step]].steps.push(step);
}

const K = {cast: 0, call: 1, reply: 2, failure: 3, exit: 4, spawn: 5, wake: 6, read: 7};
const arrowNames = ["cast", "call", "reply", "failed", "exit", "spawn", "wake", "reads table"];
const arrowHues = ["slate", "blue", "teal", "red", "red", "green", "dim", "violet"];
const A = data.arrows, arrowCount = A.kind.length;

/// Numbers of arrows by step, as one array with the places where each step's begin.
function byStep(column) {
  const begin = new Int32Array(stepCount + 2);
  for (const step of column) if (step >= 0 && step < stepCount) begin[step + 1]++;
  for (let i = 1; i < begin.length; ++i) begin[i] += begin[i - 1];
  const next = begin.slice(), order = new Int32Array(begin[stepCount]);
  column.forEach((step, arrow) => { if (step >= 0 && step < stepCount) order[next[step]++] = arrow; });
  return step => order.subarray(begin[step], begin[step + 1]);
}
const arrowsInto = byStep(A.to_step);
const arrowsFrom = byStep(A.from_step.map((step, i) => A.from_lane[i] < 0 ? -1 : step));

/// "/i1/keeper/snapshotter[7/0]": keys may have slashes too.
const partsOf = path => path.match(/[^/[]+(\[[^\]]*\])?(#\d+)?/g) || [];
const shortName = path => partsOf(path).pop() || path;
const instanceOf = path => path.split("/")[1];
const laneName = lane => lane.path.replace(/^\/world\//, "").replace(/^\/(i\d+)\/keeper\/stack\//, "$1 ").replace(/^\/(i\d+)\/keeper\//, "$1 ");
const seconds = step => (stepTime[Math.max(0, Math.min(step, stepCount))] / 1e6).toFixed(6);
const endOf = step => step < 0 ? stepCount : step;

// -- what stands in rows beside steps: bars and points ----------------------------------------------
const requests = data.requests, transactions = data.transactions;
const tables = data.storage.tables.map(([name, owner, made, opened, ended]) => ({name, owner, made, opened, ended}));
const disk = data.storage.disk.map(([step, lane, instance, what, failed]) => ({step, lane, instance, what: texts[what], failed: !!failed}));
const confirmed = data.storage.confirmed.map(([step, lsn]) => ({step, lsn}));
const notes = data.notes.map(([step, lane, text]) => ({step, lane, text: texts[text]}));
const happenings = data.happenings, violations = data.violations;
const clientLane = new Map(lanes.filter(l => l.path.startsWith("/world/client[")).map(l => [l.path.slice(14, -1), l]));

/// A job of a worker lasts from the step that bears its name to the last wait before the next.
function jobsOf(lane) {
  const jobs = [];
  for (const step of lane.steps) {
    const label = texts[stepLabel[step]];
    if (!label.startsWith("disk.") || !jobs.length) jobs.push({label, begin: step, end: step});
    jobs[jobs.length - 1].end = step;
  }
  return jobs;
}

function happeningText(h) {
  if (h.kind === "restart") return `restart: ${h.what}`;
  return `fault: ${h.what.replaceAll("_", " ")}${h.victim ? " of " + shortName(h.victim) : ""}`;
}
const outcome = r => r.answered < 0 ? "no answer" : r.status === 0 ? "connection broken" : `${r.status}${r.offset ? " " + r.offset : ""}${r.current ? " up to date" : ""}`;
const offsetAsked = r => (/[?&]offset=([^&]*)/.exec(r.asked) || ["", ""])[1];

// -- rows -------------------------------------------------------------------------------------------
const rows = [], folded = new Set();

/// Puts things with begin and end into as few slots as they need.
function pack(things) {
  const free = [];
  for (const thing of things) {
    let slot = free.findIndex(end => end <= thing.begin);
    if (slot < 0) slot = free.push(0) - 1;
    free[slot] = thing.end + 1;
    thing.slot = slot;
  }
  return Math.max(1, free.length);
}

function addRow(row) {
  rows.push(Object.assign({label: "", depth: 1, lanes: [], bars: [], points: [], slots: 1, slotHeight: 17}, row));
  return rows[rows.length - 1];
}
function laneRow(members, row) {
  const things = members.map(lane => ({lane, begin: lane.born, end: endOf(lane.died)})).sort((a, b) => a.begin - b.begin);
  const slots = pack(things);
  const made = addRow({kind: "process", ...row, lanes: members, slots, named: row.named});
  for (const thing of things) { thing.lane.row = made; thing.lane.slot = thing.slot; }
  return made;
}

const generation = part => part.replace(/#\d+$/, "");
const role = part => generation(part).replace(/\[.*\]$/, "");
const family = new Map();  // parent path + role -> distinct keys
for (const lane of lanes) {
  const parts = partsOf(lane.path).map(generation), last = parts.pop();
  const name = "/" + [...parts, role(last)].join("/");
  if (!family.has(name)) family.set(name, new Set());
  family.get(name).add(last);
}
/// Generations of one process share a row; so do the many of a kind that come and go.
function rowName(lane) {
  const parts = partsOf(lane.path).map(generation), last = parts.pop();
  const kind = "/" + [...parts, role(last)].join("/");
  return family.get(kind).size > 8 ? kind : "/" + [...parts, last].join("/");
}

function addProcesses(instance) {
  const byName = new Map();
  for (const lane of lanes) {
    if (lane.kind !== 0 || instanceOf(lane.path) !== instance) continue;
    const name = rowName(lane);
    if (!byName.has(name)) byName.set(name, []);
    byName.get(name).push(lane);
  }
  // A parent stands above its children, in the order of their first start.
  const children = new Map();
  for (const name of byName.keys()) {
    const parts = partsOf(name);
    let parent = "";
    while (parts.pop() && parts.length) if (byName.has("/" + parts.join("/"))) { parent = "/" + parts.join("/"); break; }
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(name);
  }
  const add = (name, depth) => {
    const members = byName.get(name), many = members.length > 1 && family.get(name);
    laneRow(members, {label: shortName(name), depth, group: instance, title: name, named: !!many && !name.endsWith("]")});
    for (const child of children.get(name) || []) add(child, depth + 1);
  };
  for (const root of children.get("") || []) add(root, 1);
}

function addInstance(instance) {
  const number = Number(instance.slice(1)), own = lanes.filter(l => instanceOf(l.path) === instance);
  const begin = Math.min(...own.map(l => l.born));
  const processes = own.filter(l => l.kind === 0);
  const end = processes.some(l => l.died < 0) ? stepCount : Math.max(begin, ...processes.map(l => l.died));
  addRow({kind: "header", label: `Instance ${instance}`, depth: 0, opens: instance, bars: [{begin, end, color: "accent", text: ""}]});
  addProcesses(instance);
  for (const lane of own.filter(l => l.kind === 1)) {
    const bars = jobsOf(lane).map(job => ({begin: job.begin, end: job.end, color: job.label === "store.commit" ? "violet" : "slate", text: job.label, select: job.begin}));
    const row = addRow({kind: "process", label: `${shortName(lane.path)} (store jobs)`, group: instance, title: lane.path, lanes: [lane], bars});
    lane.row = row;
  }
  const syncs = disk.filter(d => d.instance === number);
  if (syncs.length) addRow({kind: "points", label: "disk syncs", group: instance, points: syncs.map(d =>
    ({step: d.step, color: d.failed ? "red" : "blue", shape: d.failed ? "cross" : "tick", text: d.what + (d.failed ? " failed" : "")}))});
  const owned = tables.filter(t => t.owner >= 0 && instanceOf(lanes[t.owner].path) === instance);
  const names = [...new Set(owned.map(t => t.name))];
  for (const name of names) addRow({kind: "bars", label: `table ${name}`, group: instance, bars: owned.filter(t => t.name === name).map(t =>
    ({begin: t.made, end: endOf(t.ended), opened: t.opened < 0 ? endOf(t.ended) : t.opened, color: "teal",
      text: "", tip: `table ${name}${t.opened > t.made ? ", hidden until step " + t.opened : ""}`, select: t.made}))});
}

function requestColor(r) {
  if (r.answered < 0 || r.status === 0) return "dim";
  if (r.status === 200) return r.current ? "green" : "blue";
  return r.status === 409 ? "amber" : r.status === 503 ? "slate" : "red";
}

(function layOut() {
  addRow({kind: "header", label: "World", depth: 0, opens: "world"});
  addRow({kind: "points", label: "restarts, faults", group: "world", slotHeight: 20, points: [
    ...happenings.map(h => ({step: h.step, color: h.kind === "restart" ? "amber" : "pink", shape: h.kind === "restart" ? "loop" : "bolt", text: happeningText(h), lasting: true})),
    ...violations.map(v => ({step: v.step, color: "red", shape: "diamond", text: `violated: ${v.property}`, lasting: true}))]});
  const world = lanes.filter(l => instanceOf(l.path) === "world");
  const others = new Map();
  for (const lane of world.filter(l => l.kind === 2)) {
    if (!others.has(lane.path)) others.set(lane.path, []);
    others.get(lane.path).push(lane);
  }
  for (const [path, members] of others) laneRow(members, {label: shortName(path) + " (events)", group: "world", title: path});
  addRow({kind: "header", label: "Postgres", depth: 0, opens: "postgres"});
  const bars = transactions.filter(t => t.xid !== "0" && (t.shown !== 0 || t.sql)).map(t => {
    const close = t.ended >= 0 ? t.ended : Math.max(t.shown, t.flushed);
    return {begin: t.begun, end: close < 0 ? stepCount : close, logged: t.logged, flushed: t.flushed, shown: t.shown, color: t.ended >= 0 ? "red" : "amber",
      text: `xid ${t.xid}`, select: t.logged >= 0 ? t.logged : t.begun, tip: `transaction ${t.xid}${t.ended >= 0 ? ", rolled back or lost" : ""}${t.sql}`};
  });
  addRow({kind: "bars", label: "transactions", group: "postgres", slots: pack(bars), slotHeight: 16, bars});
  addRow({kind: "points", label: "confirmed by the engine", group: "postgres", points: confirmed.map(c => ({step: c.step, color: "accent", shape: "tick", text: `confirmed ${c.lsn}`}))});
  for (const lane of world.filter(l => l.kind === 0 && !clientLane.has(l.path.slice(14, -1))))
    laneRow([lane], {label: shortName(lane.path), group: "postgres", title: lane.path});
  addRow({kind: "header", label: "Clients", depth: 0, opens: "clients"});
  for (const lane of clientLane.values()) {
    const own = requests.filter(r => r.lane === lane.number), shape = own.map(r => texts[r.shape]).find(Boolean) || "";
    laneRow([lane], {label: `${lane.path.slice(14, -1)} · ${shape}`, group: "clients", title: lane.path, slotHeight: 19,
      bars: own.map(r => ({begin: r.sent, end: endOf(r.answered), color: requestColor(r), text: outcome(r), select: endOf(r.answered) < stepCount ? r.answered : r.sent, solid: true,
        tip: `${r.asked} → ${outcome(r)}`}))});
  }
  for (const instance of new Set(lanes.map(l => instanceOf(l.path)).filter(i => i !== "world"))) addInstance(instance);
})();

let allHeight = 0;
function placeRows() {
  allHeight = 4;
  for (const row of rows) {
    row.hidden = row.group !== undefined && folded.has(row.group);
    row.y = allHeight;
    row.height = row.kind === "header" ? 26 : row.slots * row.slotHeight + 2;
    if (!row.hidden) allHeight += row.height;
  }
  allHeight += 40;
}
placeRows();
const laneY = lane => lane.row ? lane.row.y + (lane.slot + .5) * lane.row.slotHeight + 1 : -1;
const laneShown = lane => lane.row && !lane.row.hidden;

// -- causes -----------------------------------------------------------------------------------------
const before = step => { const p = placeInLane[step]; return p > 0 ? lanes[stepLane[step]].steps[p - 1] : -1; };
const after = step => { const s = lanes[stepLane[step]].steps, p = placeInLane[step]; return p + 1 < s.length ? s[p + 1] : -1; };

/// Every step that can have influenced this one: by the order of its lane, or by a message.
function pastOf(step) {
  const past = new Uint8Array(stepCount), open = [step];
  past[step] = 1;
  while (open.length) {
    const at = open.pop(), visit = s => { if (s >= 0 && !past[s]) { past[s] = 1; open.push(s); } };
    visit(before(at));
    for (const arrow of arrowsInto(at)) if (A.from_lane[arrow] >= 0) visit(A.from_step[arrow]);
  }
  return past;
}
/// The cause that came last: the latest message that led to the step, else the step before it.
function causeOf(step) {
  let cause = -1;
  for (const arrow of arrowsInto(step)) if (A.from_lane[arrow] >= 0 && A.from_step[arrow] < step) cause = Math.max(cause, A.from_step[arrow]);
  return cause >= 0 ? cause : before(step);
}
function effectOf(step) {
  let effect = -1;
  for (const arrow of arrowsFrom(step)) if (A.to_step[arrow] > step && (effect < 0 || A.to_step[arrow] < effect)) effect = A.to_step[arrow];
  return effect >= 0 ? effect : after(step);
}
/// From a step back through the cause that came last each time, until a client or the workload began it.
function chainTo(step, most = 24) {
  const chain = [step];
  while (chain.length < most) {
    const at = chain[chain.length - 1], cause = causeOf(at);
    // Where no message came and the lane had been still, time or the world outside woke it.
    if (cause < 0 || (cause === before(at) && at - cause > 60)) break;
    chain.push(cause);
    if (chain.length > 2 && lanes[stepLane[cause]].path.startsWith("/world/")) break;
  }
  return chain.reverse();
}
/// Those that no cause leads back to are folded, if there are many rows.
function foldInstances() {
  const needed = new Set(chain.map(step => instanceOf(lanes[stepLane[step]].path)));
  const instances = rows.filter(r => r.kind === "header" && /^i\d+$/.test(r.opens)).map(r => r.opens);
  if (!chain.length) instances.slice(1).forEach(i => folded.add(i));
  else if (instances.some(i => needed.has(i))) instances.filter(i => !needed.has(i)).forEach(i => folded.add(i));
  placeRows();
}
const violation = violations.length ? violations[0] : null;
const violationStep = violation ? (() => {  // on the lane of its client, if it has one
  const client = violation.client && clientLane.get(violation.client);
  if (!client || stepLane[violation.step] === client.number) return violation.step;
  const earlier = client.steps.filter(s => s <= violation.step);
  return earlier.length ? earlier[earlier.length - 1] : violation.step;
})() : -1;
const chain = violationStep >= 0 ? chainTo(violationStep) : [], inChain = new Set(chain);
