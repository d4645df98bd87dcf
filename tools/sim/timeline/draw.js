// The two canvases: the strip with the whole run, and the lanes.

const $ = id => document.getElementById(id);
const board = $("lanes"), strip = $("overview"), pen = board.getContext("2d"), stripPen = strip.getContext("2d");
const k_labels = 236, k_ruler = 24;  // pixels left of and above the lanes
const view = {byTime: false, from: 0, to: Math.max(1, stepCount), scroll: 0};
const state = {step: -1, past: null, hits: [], hitSet: new Set(), hitLanes: new Set(), hover: null};
const drawn = {};  // what the last frame showed, for tests
let color = {}, width = 0, height = 0, queued = false, stripImage = null;

function readColors() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ground", "raised", "line", "faint", "ink", "soft", "dim", "accent", "red", "amber", "violet", "blue", "green", "teal", "pink", "slate", "life", "mark"])
    color[name] = style.getPropertyValue("--" + name).trim();
  stripImage = null;
}

// -- axis -------------------------------------------------------------------------------------------
/// Where a step stands on the axis: its number, or its virtual time. Halves are between steps.
function at(step) {
  if (!view.byTime) return step;
  const whole = Math.max(0, Math.min(stepCount, Math.floor(step)));
  return stepTime[whole] + (step - whole);
}
const k_end = () => view.byTime ? stepTime[stepCount] : stepCount;
const across = () => width - k_labels - 12;
const toX = value => k_labels + (value - view.from) / (view.to - view.from) * across();
const xOf = step => toX(at(step));
const fromX = x => view.from + (x - k_labels) / across() * (view.to - view.from);
function stepAtValue(value) {
  if (!view.byTime) return Math.max(0, Math.min(stepCount - 1, Math.floor(value)));
  let low = 0, high = stepCount - 1;
  while (low < high) { const middle = (low + high + 1) >> 1; if (stepTime[middle] <= value) low = middle; else high = middle - 1; }
  return low;
}
/// The first place in a sorted array whose step is not before this one.
function lowerBound(steps, step) {
  let low = 0, high = steps.length;
  while (low < high) { const middle = (low + high) >> 1; if (steps[middle] < step) low = middle + 1; else high = middle; }
  return low;
}
function setView(from, to) {
  const least = view.byTime ? 20 : 8, span = Math.min(Math.max(to - from, least), k_end() * 1.02 + 1);
  const middle = (from + to) / 2;
  view.from = Math.max(-span * .05, Math.min(middle - span / 2, k_end() - span * .95));
  view.to = view.from + span;
  redraw();
}
function zoom(factor, x = k_labels + across() / 2) {
  const value = fromX(x);
  setView(value - (value - view.from) * factor, value + (view.to - value) * factor);
}
function scrollTo(y) {
  view.scroll = Math.max(0, Math.min(y, Math.max(0, allHeight - (height - k_ruler))));
  redraw();
}

// -- frame ------------------------------------------------------------------------------------------
function redraw() { if (!queued) { queued = true; requestAnimationFrame(draw); } }
function resize() {
  const scale = devicePixelRatio || 1;
  for (const canvas of [board, strip]) {
    canvas.width = canvas.clientWidth * scale;
    canvas.height = canvas.clientHeight * scale;
    canvas.getContext("2d").setTransform(scale, 0, 0, scale, 0, 0);
  }
  width = board.clientWidth; height = board.clientHeight; stripImage = null;
  redraw();
}
const font = (size, weight = "") => `${weight} ${size}px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif`;
const fade = step => state.past && step < stepCount && !state.past[step] ? .12 : 1;

/// The text, or its beginning and "…" where there is no more room.
function fitting(words, room) {
  const full = pen.measureText(words).width;
  if (full <= room) return words;
  const count = Math.floor(words.length * room / full) - 1;
  return count > 1 ? words.slice(0, count) + "…" : "";
}

function laneColor(lane) {
  if (lane.kind === 1) return color.violet;
  if (lane.path.startsWith("/world/client[")) return color.green;
  if (lane.path.startsWith("/world/")) return color.amber;
  if (lane.path.includes("/request[")) return color.blue;
  return color.slate;
}

function draw() {
  queued = false;
  Object.assign(drawn, {lanes: 0, steps: 0, arrows: 0, bars: 0, points: 0, labels: 0});
  pen.clearRect(0, 0, width, height);
  const first = stepAtValue(view.from), last = Math.min(stepCount - 1, stepAtValue(view.to) + 1);
  const y0 = view.scroll - k_ruler, perStep = across() / Math.max(1, last - first);
  const seen = rows.filter(r => !r.hidden && r.y + r.height > view.scroll && r.y < view.scroll + height);
  pen.save();
  pen.beginPath(); pen.rect(0, k_ruler, width, height - k_ruler); pen.clip();
  pen.translate(0, -y0);
  drawGrid(seen);
  pen.save();
  pen.beginPath(); pen.rect(k_labels, view.scroll, width, height); pen.clip();
  drawHappenings();
  for (const row of seen) drawRow(row, first, last, perStep);
  drawArrows(first, last, perStep);
  drawChain();
  drawSelection();
  pen.restore();
  drawLabels(seen);
  pen.restore();
  drawRuler(first);
  drawStrip();
}

function drawGrid(seen) {
  for (const row of seen) {
    if (row.kind === "header") { pen.fillStyle = color.raised; pen.fillRect(0, row.y, width, row.height); }
    pen.fillStyle = color.faint;
    pen.fillRect(0, row.y + row.height - 1, width, 1);
  }
}

function drawHappenings() {
  for (const h of happenings) {
    const x = xOf(h.step);
    if (x < k_labels || x > width) continue;
    pen.globalAlpha = .45; pen.fillStyle = h.kind === "restart" ? color.amber : color.pink;
    pen.fillRect(x, view.scroll, 1, height);
  }
  for (const v of violations) {
    const x = xOf(v.step + .5);
    pen.globalAlpha = v === violations[0] ? .8 : .35; pen.fillStyle = color.red;
    pen.fillRect(x - .5, view.scroll, v === violations[0] ? 2 : 1, height);
  }
  pen.globalAlpha = 1;
}

// -- rows -------------------------------------------------------------------------------------------
function drawRow(row, first, last, perStep) {
  for (const lane of row.lanes) drawLife(row, lane, first, last);
  for (const bar of row.bars) drawBar(row, bar);
  for (const lane of row.lanes) if (lane.born <= last && endOf(lane.died) >= first) drawSteps(row, lane, first, last, perStep);
  for (const point of row.points) drawPoint(row, point);
}

function drawLife(row, lane, first, last) {
  if (lane.born > last || endOf(lane.died) < first) return;
  ++drawn.lanes;
  const y = row.y + lane.slot * row.slotHeight + 3, h = row.slotHeight - 5;
  const x0 = Math.max(xOf(lane.born), k_labels - 4), x1 = Math.min(xOf(endOf(lane.died) + (lane.died < 0 ? 0 : 1)), width + 4);
  pen.fillStyle = state.hitLanes.has(lane.number) ? color.mark : color.life;
  pen.globalAlpha = state.hitLanes.has(lane.number) ? .5 : 1;
  pen.beginPath(); pen.roundRect(x0, y, Math.max(1.5, x1 - x0), h, 3); pen.fill();
  pen.globalAlpha = 1;
  if (lane.died >= 0 && x1 - x0 > 5) {  // how it ended
    const bad = lane.reason !== "normal" && !lane.reason.startsWith("shutdown");
    pen.strokeStyle = bad ? color.red : color.dim; pen.lineWidth = 1.5;
    pen.beginPath();
    if (bad) { pen.moveTo(x1 - 3, y + h / 2 - 3); pen.lineTo(x1 + 3, y + h / 2 + 3); pen.moveTo(x1 + 3, y + h / 2 - 3); pen.lineTo(x1 - 3, y + h / 2 + 3); }
    else { pen.moveTo(x1, y); pen.lineTo(x1, y + h); }
    pen.stroke();
  }
}

function drawBar(row, bar) {
  const x0 = Math.max(xOf(bar.begin), k_labels - 4), x1 = Math.min(xOf(bar.end + (bar.end < stepCount ? 1 : 0)), width + 4);
  if (x1 < k_labels || x0 > width) return;
  ++drawn.bars;
  const header = row.kind === "header", y = row.y + (bar.slot || 0) * row.slotHeight + (header ? 11 : 3), h = header ? 4 : row.slotHeight - 5;
  pen.fillStyle = color[bar.color];
  pen.globalAlpha = (bar.solid ? .3 : header ? .8 : bar.color === "teal" ? .25 : .4) * Math.max(fade(Math.max(0, bar.begin)), fade(bar.end));
  pen.beginPath(); pen.roundRect(x0, y, Math.max(2, x1 - x0 - (bar.solid && x1 - x0 > 6 ? 1.5 : 0)), h, 3); pen.fill();
  if (bar.opened > bar.begin) {  // hidden from readers until then
    pen.globalAlpha = .75; pen.fillStyle = color.ground;
    pen.fillRect(x0 + 1, y + 2, Math.max(0, Math.min(xOf(bar.opened), x1) - x0 - 2), h - 4);
  }
  pen.globalAlpha = 1;
  for (const [step, name, full] of [[bar.logged, "violet", 0], [bar.flushed, "blue", 0], [bar.shown, "green", 1]])
    if (step >= 0) { pen.fillStyle = color[name]; pen.fillRect(xOf(step) - 1, y - 1, 2.5, full ? h + 2 : h / 2 + 1); }
  const room = x1 - Math.max(x0, k_labels);
  if (bar.text && room > 34) {
    pen.font = font(10.5); pen.fillStyle = color.ink;
    pen.fillText(fitting(bar.text, room - 9), Math.max(x0, k_labels) + 5, y + h / 2 + 3.5); ++drawn.labels;
  }
}

function drawSteps(row, lane, first, last, perStep) {
  const steps = lane.steps, y = row.y + lane.slot * row.slotHeight + 3, h = row.slotHeight - 5;
  const wide = view.byTime ? 2 : Math.max(1, Math.min(perStep * .8, 9)), base = row.bars.length ? color.slate : laneColor(lane);
  const low = row.bars.length ? h * .55 : 0;  // below the text of bars
  let lastX = -10;
  for (let i = lowerBound(steps, first); i < steps.length && steps[i] <= last; ++i) {
    const step = steps[i], x = xOf(step);
    const special = inChain.has(step) || state.hitSet.has(step);
    if (x - lastX < .7 && !special) continue;
    lastX = x; ++drawn.steps;
    pen.globalAlpha = (special ? 1 : .85) * fade(step);
    pen.fillStyle = state.hitSet.has(step) ? color.mark : inChain.has(step) ? color.red : base;
    pen.fillRect(x, y + low, wide, h - low);
    if (perStep > 9 && !view.byTime && !row.bars.length) {
      const next = i + 1 < steps.length ? xOf(steps[i + 1]) : width, room = Math.min(next, width) - x - wide - 6;
      if (room > 44) {
        const label = texts[stepLabel[step]];
        pen.font = font(10.5); pen.fillStyle = special ? color.ink : color.soft; pen.globalAlpha = fade(step);
        pen.fillText(fitting(label, room), x + wide + 4, y + h / 2 + 3.5); ++drawn.labels;
      }
    }
  }
  pen.globalAlpha = 1;
  if (row.named) {  // which of its kind
    const x0 = Math.max(xOf(lane.born), k_labels), x1 = Math.min(xOf(endOf(lane.died)), width);
    const key = (/\[(.*)\]/.exec(shortName(lane.path)) || ["", ""])[1];
    if (key && x1 - x0 > key.length * 6 + 60 && perStep <= 9) { pen.font = font(10); pen.fillStyle = color.soft; pen.fillText(key, x0 + 14, y + h / 2 + 3.5); }
  }
}

function drawPoint(row, point) {
  const x = xOf(point.step + .4);
  if (x < k_labels - 4 || x > width + 4) return;
  ++drawn.points;
  const y = row.y + row.height / 2 - .5, r = 5;
  pen.fillStyle = pen.strokeStyle = color[point.color]; pen.lineWidth = 1.6;
  pen.globalAlpha = point.lasting ? 1 : fade(point.step);
  pen.beginPath();
  if (point.shape === "tick") pen.fillRect(x - .75, y - 5, 1.5, 10);
  else if (point.shape === "cross") { pen.moveTo(x - 4, y - 4); pen.lineTo(x + 4, y + 4); pen.moveTo(x + 4, y - 4); pen.lineTo(x - 4, y + 4); pen.stroke(); }
  else if (point.shape === "diamond") { pen.moveTo(x, y - 7); pen.lineTo(x + 6, y); pen.lineTo(x, y + 7); pen.lineTo(x - 6, y); pen.fill(); }
  else if (point.shape === "bolt") { pen.moveTo(x + 2, y - 7); pen.lineTo(x - 4, y + 1); pen.lineTo(x, y + 1); pen.lineTo(x - 2, y + 7); pen.lineTo(x + 4, y - 1); pen.lineTo(x, y - 1); pen.fill(); }
  else { pen.arc(x, y, r - .5, -.6, 4.2); pen.stroke(); pen.beginPath(); pen.moveTo(x + 7, y - 5); pen.lineTo(x + 6, y); pen.lineTo(x + 1, y - 2.5); pen.fill(); }
  pen.globalAlpha = 1;
  if (point.lasting) {
    const next = row.points.filter(p => p.step > point.step).reduce((m, p) => Math.min(m, xOf(p.step)), width);
    pen.font = font(11, point.color === "red" ? "600" : "");
    if (next - x > pen.measureText(point.text).width + 18) { pen.fillText(point.text, x + 11, y + 4); ++drawn.labels; }
  }
}

// -- messages ---------------------------------------------------------------------------------------
const arrowColor = kind => color[arrowHues[kind]];

function drawArrow(arrow, strong) {
  const from = lanes[A.from_lane[arrow]], to = lanes[A.to_lane[arrow]], end = A.to_step[arrow];
  if (!from || end < 0 || !laneShown(from) || !laneShown(to) || from === to) return false;
  const x0 = xOf(A.from_step[arrow] + .4), x1 = xOf(end + .1), y0 = laneY(from), y1 = laneY(to);
  const kind = A.kind[arrow], bend = Math.min(60, Math.max(8, (x1 - x0) * .4));
  pen.strokeStyle = pen.fillStyle = arrowColor(kind);
  pen.lineWidth = strong ? 2 : 1;
  pen.setLineDash(kind === K.wake || kind === K.read ? [2, 3] : kind === K.reply ? [5, 3] : []);
  pen.beginPath(); pen.moveTo(x0, y0); pen.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1, y1); pen.stroke();
  pen.setLineDash([]);
  if (x1 - x0 > 6 || strong) { pen.beginPath(); pen.moveTo(x1 + 1, y1); pen.lineTo(x1 - 6, y1 - 3.2); pen.lineTo(x1 - 6, y1 + 3.2); pen.fill(); }
  ++drawn.arrows;
  return true;
}

function drawArrows(first, last, perStep) {
  // From afar a message is thinner than a pixel; only those of the selected step are drawn then.
  const many = (last - first) > 1800;
  const alpha = Math.min(.75, Math.max(.12, perStep / 14));
  if (!many) for (let step = Math.max(0, first - 2000); step <= last; ++step) for (const arrow of arrowsFrom(step)) {
    // Reads are many; they are drawn for the selected step alone.
    if (A.to_step[arrow] < first || A.kind[arrow] === K.read) continue;
    pen.globalAlpha = alpha * (A.kind[arrow] === K.wake ? .6 : 1) * Math.min(fade(step), A.to_step[arrow] >= 0 ? fade(A.to_step[arrow]) : 1);
    drawArrow(arrow, false);
  }
  pen.globalAlpha = 1;
  if (state.step >= 0) {
    for (const arrow of arrowsInto(state.step)) drawArrow(arrow, true);
    for (const arrow of arrowsFrom(state.step)) drawArrow(arrow, true);
  }
}

/// The last causes of the violation, as one line.
function drawChain() {
  drawn.chain = 0;
  if (chain.length < 2) return;
  pen.strokeStyle = color.red; pen.lineWidth = 2.2; pen.globalAlpha = .8; pen.lineJoin = "round";
  pen.beginPath();
  let begun = false;
  for (const step of chain) {
    const lane = lanes[stepLane[step]];
    if (!laneShown(lane)) continue;
    const x = xOf(step + .25), y = laneY(lane);
    if (begun) pen.lineTo(x, y); else pen.moveTo(x, y);
    begun = true; ++drawn.chain;
  }
  pen.stroke(); pen.globalAlpha = 1;
}

function drawSelection() {
  if (state.step < 0) return;
  const lane = lanes[stepLane[state.step]], x = xOf(state.step);
  pen.fillStyle = color.accent; pen.globalAlpha = .6;
  pen.fillRect(x, view.scroll, 1, height); pen.globalAlpha = 1;
  if (!laneShown(lane)) return;
  pen.strokeStyle = color.accent; pen.lineWidth = 2;
  pen.beginPath(); pen.roundRect(x - 3, lane.row.y + lane.slot * lane.row.slotHeight + .5, 11, lane.row.slotHeight, 4); pen.stroke();
}

// -- labels, ruler, strip ---------------------------------------------------------------------------
function drawLabels(seen) {
  pen.fillStyle = color.ground; pen.fillRect(0, view.scroll, k_labels, height);
  const selected = state.step >= 0 ? lanes[stepLane[state.step]].row : null;
  for (const row of seen) {
    if (row.kind === "header") {
      pen.fillStyle = color.raised; pen.fillRect(0, row.y, k_labels, row.height - 1);
      pen.fillStyle = color.soft; pen.font = font(9); pen.fillText(folded.has(row.opens) ? "▶" : "▼", 8, row.y + 17);
      pen.fillStyle = color.ink; pen.font = font(12.5, "600"); pen.fillText(row.label, 22, row.y + 17);
      continue;
    }
    const hit = row.lanes.some(l => state.hitLanes.has(l.number));
    pen.font = font(11.5, row === selected ? "600" : "");
    pen.fillStyle = row === selected ? color.accent : hit ? color.ink : color.soft;
    const x = 12 + Math.min(row.depth, 6) * 10, room = k_labels - x - 8, label = fitting(row.label, room);
    if (hit) { pen.save(); pen.fillStyle = color.mark; pen.globalAlpha = .35; pen.fillRect(x - 4, row.y + 2, room + 6, row.slotHeight - 3); pen.restore(); }
    pen.fillText(label, x, row.y + row.slotHeight / 2 + 4.5);
  }
  pen.fillStyle = color.line; pen.fillRect(k_labels - 1, view.scroll, 1, height);
}

function drawRuler() {
  pen.fillStyle = color.ground; pen.fillRect(0, 0, width, k_ruler);
  pen.fillStyle = color.line; pen.fillRect(0, k_ruler - 1, width, 1);
  const span = view.to - view.from, rough = span / (across() / 110), power = 10 ** Math.floor(Math.log10(rough));
  const pace = Math.max(1, [1, 2, 5, 10].map(m => m * power).find(m => m >= rough));
  pen.font = font(10.5);
  for (let value = Math.max(0, Math.ceil(view.from / pace) * pace); value <= view.to && value <= k_end(); value += pace) {
    const x = toX(value);
    if (x < k_labels) continue;
    pen.fillStyle = color.line; pen.fillRect(x, k_ruler - 6, 1, 6);
    pen.fillStyle = color.soft;
    pen.fillText(view.byTime ? `${(value / 1000).toLocaleString("en")} ms` : Math.round(value).toLocaleString("en"), x + 4, 15);
  }
  pen.fillStyle = color.soft; pen.fillText(view.byTime ? "virtual time" : "step", 12, 15);
}

const stripX = step => k_labels + at(step) / k_end() * across();
function drawStrip() {
  const w = strip.clientWidth, h = strip.clientHeight;
  if (!stripImage) {
    stripImage = document.createElement("canvas");
    stripImage.width = strip.width; stripImage.height = strip.height;
    const ink = stripImage.getContext("2d"), scale = devicePixelRatio || 1;
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    drawStripContent(ink, w, h);
  }
  stripPen.clearRect(0, 0, w, h);
  stripPen.drawImage(stripImage, 0, 0, w, h);
  for (const hit of state.hits) { stripPen.fillStyle = color.mark; stripPen.fillRect(stripX(hit.step) - .5, h - 9, 1.5, 9); }
  const x0 = k_labels + Math.max(0, view.from) / k_end() * across(), x1 = k_labels + Math.min(k_end(), view.to) / k_end() * across();
  stripPen.fillStyle = color.ground; stripPen.globalAlpha = .62;
  stripPen.fillRect(k_labels, 0, x0 - k_labels, h); stripPen.fillRect(x1, 0, w - x1, h);
  stripPen.globalAlpha = 1; stripPen.strokeStyle = color.accent; stripPen.lineWidth = 1.5;
  stripPen.strokeRect(x0 + .5, 1, Math.max(3, x1 - x0 - 1), h - 3);
  if (state.step >= 0) { stripPen.fillStyle = color.accent; stripPen.fillRect(stripX(state.step) - .5, 0, 1.5, h); }
}
function drawStripContent(ink, w, h) {
  const bins = new Float64Array(Math.max(1, Math.floor(across())));
  for (let step = 0; step < stepCount; ++step) bins[Math.min(bins.length - 1, Math.floor(at(step) / k_end() * bins.length))]++;
  const own = rows.filter(r => r.kind === "header" && r.bars.length);
  own.forEach((row, i) => { ink.fillStyle = [color.accent, color.violet, color.blue, color.green][i % 4]; ink.globalAlpha = .75;
    const y = 6 + (i % 6) * 5; ink.fillRect(stripX(row.bars[0].begin), y, Math.max(2, stripX(row.bars[0].end) - stripX(row.bars[0].begin)), 3); });
  ink.globalAlpha = 1; ink.fillStyle = color.green;
  // What clients were answered, one tick each.
  for (const r of requests) if (r.answered >= 0) { ink.fillStyle = color[requestColor(r)]; ink.fillRect(stripX(r.answered), h - 16, 1, 6); }
  if (view.byTime) { const most = Math.max(...bins); ink.fillStyle = color.slate; ink.globalAlpha = .5; bins.forEach((n, i) => n && ink.fillRect(k_labels + i, h - 16 - 14 * Math.sqrt(n / most), 1, 14 * Math.sqrt(n / most))); ink.globalAlpha = 1; }
  for (const p of happenings) { ink.fillStyle = p.kind === "restart" ? color.amber : color.pink; ink.fillRect(stripX(p.step) - 1, 2, 2, h - 4); }
  for (const v of violations) { ink.fillStyle = color.red; ink.fillRect(stripX(v.step) - 1, 0, 2.5, h); }
  ink.font = font(11); ink.fillStyle = color.soft;
  ink.fillText(`${stepCount.toLocaleString("en")} steps`, 12, 20);
  ink.fillText(`${(stepTime[stepCount] / 1e6).toFixed(1)} s of virtual time`, 12, 36);
}
