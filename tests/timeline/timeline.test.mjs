// The page that `holdfast-sim replay --timeline` writes, in a headless Chromium: what it must show,
// how it is steered, and that a long run opens fast. Needs build/release/holdfast-sim.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'

const simulator = new URL('../../build/release/holdfast-sim', import.meta.url).pathname
const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const skip = browserPath ? false : 'there is no Chromium; apt-get install chromium'
const guard = 'visible_only_after_commit'
const k_open_limit_ms = 2000

let folder, browser, failing
const opened = []

/// Runs replay; the exit code says what it found.
function replay(subject, page, ...options) {
  const run = spawnSync(simulator, ['replay', subject, '--timeline', page, ...options], { encoding: 'utf8', maxBuffer: 1 << 28 })
  assert.ok([0, 1, 5].includes(run.status), run.stderr)
  return run.stdout
}

/// Without the guard, and without keeping or reducing what it finds.
const check = (...options) => spawnSync(simulator, ['check', '--jobs', '2', '--without', guard, '--no-database', '--no-shrink', ...options], { encoding: 'utf8' })

before(async () => {
  if (skip) return
  folder = mkdtempSync(join(tmpdir(), 'holdfast-timeline-'))
  const { failures } = JSON.parse(check('--seeds', '40', '--json').stdout)
  assert.ok(failures.length > 0, `without ${guard} some of 40 histories fail`)
  // One in which a transaction was seen in part: it has commits and answers that show them.
  failing = String((failures.find(({ property }) => property.startsWith('I-6')) ?? failures.at(-1)).seed)
  browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] })
})
after(async () => {
  await browser?.close()
  if (folder) rmSync(folder, { recursive: true })
})

async function open(file, scheme = 'light') {
  const context = await browser.newContext({ viewport: { width: 1500, height: 900 }, colorScheme: scheme })
  const page = await context.newPage()
  const faults = []
  page.on('pageerror', (error) => faults.push(error.stack))
  page.on('request', (request) => request.url().startsWith('file:') || faults.push(`asks for ${request.url()}`))
  const begun = performance.now()
  await page.goto(`file://${file}`)
  await page.waitForFunction('document.body.dataset.ready')
  page.openedMs = performance.now() - begun
  page.faults = faults
  opened.push(page)
  return page
}
/// A value of the page's own, once it has drawn what was asked for.
const ask = async (page, expression) => {
  await page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
  return page.evaluate(expression)
}

test('a timeline changes nothing of the run', { skip }, () => {
  const hash = (text) => /trace hash (\w+)/.exec(text)[1]
  const plain = spawnSync(simulator, ['replay', failing, '--without', guard], { encoding: 'utf8' }).stdout
  assert.equal(hash(replay(failing, join(folder, 'same.html'), '--without', guard)), hash(plain))
})

test('the page shows lanes, messages, faults, tables, commits and the violation', { skip }, async () => {
  const said = replay(failing, join(folder, 'failing.html'), '--without', guard)
  const page = await open(join(folder, 'failing.html'))
  assert.match(said, /FAILED/)
  const verdict = await page.textContent('#verdict')
  assert.ok(said.includes(verdict), `${verdict} is what replay says too`)
  const shown = await ask(page, 'drawn')
  assert.ok(shown.lanes > 5 && shown.steps > 20, 'lanes with their steps around the violation')
  assert.ok(shown.arrows > 5, 'messages as arrows')
  assert.ok(shown.chain > 2, 'the last causes as a line')
  assert.ok((await page.textContent('#panel')).includes('What led to it'))
  const steps = Number(/(\d+) steps/.exec(said)[1])
  assert.equal(await ask(page, 'stepCount'), steps, 'every step is on the page')
  const happened = (said.match(/^step \d+: (restart|fault)/gm) ?? []).length
  assert.equal(await ask(page, 'happenings.length'), happened, 'every restart and fault that replay lists')
  const kinds = await ask(page, '[...new Set(A.kind)].map(kind => arrowNames[kind])')
  // A call that fails needs a callee that is gone; not every history has one.
  for (const kind of ['cast', 'call', 'reply', 'exit', 'spawn', 'wake', 'reads table']) assert.ok(kinds.includes(kind), `there is a ${kind}`)
  assert.ok(await ask(page, 'tables.length > 0 && tables.some(t => t.ended > t.made) && disk.length > 0'))
  assert.ok(await ask(page, 'transactions.some(t => t.logged >= 0 && t.shown >= t.logged && t.flushed >= 0 && t.sql)'))
  assert.ok(await ask(page, 'requests.some(r => r.status === 200 && r.offset && texts[r.handle])'))
  await page.keyboard.press('0')
  await page.evaluate('scrollTo(0)')
  assert.ok((await ask(page, 'drawn')).points >= happened, 'each as a sign of its own')
  assert.deepEqual(page.faults, [])
})

test('a message is taken up after it was sent, and lanes take steps only while they live', { skip }, async () => {
  const page = await open(join(folder, 'failing.html'))
  assert.equal(await ask(page, 'A.to_step.filter((s, i) => s >= 0 && s < A.from_step[i]).length'), 0)
  assert.equal(await ask(page, 'lanes.filter(l => l.steps.some(s => s < l.born || (l.died >= 0 && s > l.died))).length'), 0)
  assert.equal(await ask(page, 'A.to_step.filter((s, i) => s >= 0 && stepLane[s] !== A.to_lane[i]).length'), 0)
})

test('search finds processes, labels and handles', { skip }, async () => {
  const page = await open(join(folder, 'failing.html'))
  const handle = await ask(page, 'texts[requests.find(r => texts[r.handle]).handle]')
  for (const words of ['shape_log_collector', 'store.commit', handle]) {
    await page.fill('#search', words)
    const found = await ask(page, 'state.hits.length')
    assert.ok(found > 0, `${words} is found`)
    assert.equal(await page.textContent('#hits'), found.toLocaleString('en'))
    await page.press('#search', 'Enter')
    assert.ok(await ask(page, 'state.hitSet.has(state.step)'), 'Enter goes to a hit')
  }
  await page.fill('#search', 'there is no such thing')
  assert.equal(await ask(page, 'state.hits.length'), 0)
})

test('keys step, zoom and pan; Enter goes to the violation', { skip }, async () => {
  const page = await open(join(folder, 'failing.html'))
  await page.keyboard.press('Enter')
  const violation = await ask(page, 'state.step')
  assert.equal(violation, await ask(page, 'violationStep'))
  await page.keyboard.press('ArrowLeft')
  const earlier = await ask(page, 'state.step')
  assert.ok(earlier < violation)
  assert.ok((await page.textContent('#panel')).includes(`step ${earlier.toLocaleString('en')},`), 'the panel explains the step')
  await page.keyboard.press('ArrowRight')
  assert.equal(await ask(page, 'state.step'), violation)
  await page.keyboard.press('[')
  assert.equal(await ask(page, 'state.step'), await ask(page, `causeOf(${violation})`), 'the cause')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Shift+ArrowLeft')
  assert.equal(await ask(page, 'stepLane[state.step]'), await ask(page, 'stepLane[violationStep]'), 'on the same lane')
  const span = await ask(page, 'view.to - view.from')
  await page.keyboard.press('-')
  assert.ok((await ask(page, 'view.to - view.from')) > span)
  await page.keyboard.press('0')
  assert.ok((await ask(page, 'view.to - view.from')) >= (await ask(page, 'stepCount')))
  await page.mouse.move(800, 500)
  await page.keyboard.down('Control')
  await page.mouse.wheel(0, -300)
  await page.keyboard.up('Control')
  assert.ok((await ask(page, 'view.to - view.from')) < (await ask(page, 'stepCount')), 'Ctrl and the wheel zoom')
  const from = await ask(page, 'view.from')
  await page.mouse.down()
  await page.mouse.move(700, 500, { steps: 4 })
  await page.mouse.up()
  assert.ok((await ask(page, 'view.from')) > from, 'dragging pans')
  await page.keyboard.press('t')
  assert.equal(await page.textContent('#axis'), 'time')
  assert.deepEqual(page.faults, [])
})

test('what cannot have influenced a step is dimmed', { skip }, async () => {
  const page = await open(join(folder, 'failing.html'))
  await page.keyboard.press('Enter')
  await page.keyboard.press('c')
  const [past, later] = await ask(page, '[state.past.reduce((a, b) => a + b), state.past.subarray(violationStep + 1).reduce((a, b) => a + b, 0)]')
  assert.ok(past > 10 && past < (await ask(page, 'stepCount')))
  assert.equal(later, 0, 'the future is no cause')
  assert.equal(await ask(page, 'chain.every(s => state.past[s])'), true)
})

test('light and dark follow the system, and the button', { skip }, async () => {
  const ground = (page) => ask(page, 'color.ground')
  const light = await open(join(folder, 'failing.html'), 'light')
  const dark = await open(join(folder, 'failing.html'), 'dark')
  assert.notEqual(await ground(light), await ground(dark))
  const before = await ground(light)
  await light.click('#theme')
  assert.equal(await ground(light), await ground(dark))
  await light.click('#theme')
  assert.equal(await ground(light), before)
})

test('a history that passes says so', { skip }, async () => {
  replay('7', join(folder, 'passing.html'))
  const page = await open(join(folder, 'passing.html'))
  assert.equal(await page.textContent('#verdict'), 'passed')
  await page.keyboard.press('Enter')
  assert.deepEqual(page.faults, [])
})

test('a run of 50,000 steps opens in two seconds', { skip }, async () => {
  // A reference history with ten times its clients, as a repro file.
  const kept = join(folder, 'reference')
  check('--scenario', 'reference', '--seeds', '12', '--save-failures', kept)
  const repro = JSON.parse(readFileSync(join(kept, readdirSync(kept).sort()[0]), 'utf8'))
  delete repro.verdict
  delete repro.trace_hash
  const { clients } = repro.plan
  let number = Math.max(...clients.map((client) => client.number))
  repro.plan.clients = Array.from({ length: 10 }, (_, copy) => clients.map((client) => (copy === 0 ? client : { ...client, number: ++number }))).flat()
  writeFileSync(join(folder, 'long.json'), JSON.stringify(repro))
  replay(join(folder, 'long.json'), join(folder, 'long.html'))
  const page = await open(join(folder, 'long.html'))
  assert.ok((await ask(page, 'stepCount')) >= 50_000, 'the history is long')
  assert.ok(page.openedMs <= k_open_limit_ms, `opened in ${Math.round(page.openedMs)} ms`)
  await page.keyboard.press('0')
  const frame = await ask(page, '(() => { const begun = performance.now(); draw(); return performance.now() - begun })()')
  assert.ok(frame < 250, `the whole run is drawn in ${Math.round(frame)} ms`)
  assert.deepEqual(page.faults, [])
})
