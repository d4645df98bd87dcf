// DELETE of a shape while others read it: what is held learns of it at once, the next reader gets
// another handle and a new snapshot, and a client that followed ends up with the table as it is.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Postgres, Server } from './harness.mjs'
import { StrictView } from './view.mjs'
import { Writer, fill } from './workload.mjs'

const rows = 50
const shape = 'v1/shape?table=items'
const keyOf = (row) => String(row.id)
const get = async (url, options) => {
  const response = await fetch(url, options)
  return { status: response.status, headers: response.headers, text: await response.text() }
}
/** Reads the shape into the view until the signal, from the beginning again after each 409. (Timers of
 *  the official client would keep this process for a minute.) */
async function follow(server, view, signal) {
  let at = 'offset=-1'
  while (!signal.aborted) {
    const answer = await get(`${server.url}/${shape}&${at}`, { signal }).catch((error) => {
      if (!signal.aborted) throw error
    })
    if (answer === undefined) return
    assert.ok([200, 409].includes(answer.status), answer.text)
    view.apply(JSON.parse(answer.text))
    const live = view.upToDates > 0 ? '&live=true' : ''
    at = `offset=${answer.headers.get('electric-offset')}&handle=${handleOf(answer)}${live}`
    if (answer.status === 409) at = 'offset=-1'
  }
}
const handleOf = (answer) => answer.headers.get('electric-handle')

let postgres
let database
before(async () => {
  postgres = new Postgres()
  database = await postgres.connect()
  await fill(database, rows)
})
after(async () => {
  await database?.end()
  postgres?.stop()
})

async function startServer(t, env) {
  const server = new Server(postgres.url, { env })
  t.after(() => server.close())
  await server.start()
  return server
}

test('nobody deletes a shape unless it was allowed', { timeout: 60_000 }, async (t) => {
  const server = await startServer(t, {})
  const made = await get(`${server.url}/${shape}&offset=-1`)
  const refused = await get(`${server.url}/${shape}`, { method: 'DELETE' })
  assert.equal(refused.status, 405)
  assert.deepEqual(JSON.parse(refused.text), { message: 'DELETE not allowed' })
  assert.equal(handleOf(await get(`${server.url}/${shape}&offset=-1`)), handleOf(made))
})

test('a deleted shape is another one for whoever asks next', { timeout: 120_000 }, async (t) => {
  const server = await startServer(t, { ELECTRIC_ENABLE_INTEGRATION_TESTING: 'true' })
  const writer = new Writer(() => postgres.connect(), { rows, seed: 1 })
  await writer.open()
  t.after(() => writer.close())
  const view = new StrictView('follower')
  const leave = new AbortController()
  const following = follow(server, view, leave.signal)
  while (view.upToDates === 0) await Promise.race([following, sleep(5)])

  const seen = new Set()
  for (const by of ['table', 'handle', 'table', 'handle']) {
    const handle = handleOf(await get(`${server.url}/${shape}&offset=-1`))
    assert.ok(!seen.has(handle), `the handle ${handle} is from before a deletion`)
    seen.add(handle)
    const live = `${server.url}/${shape}&offset=0_inf&handle=${handle}&live=true`
    const held = Array.from({ length: 10 }, () => get(live))
    // Transactions before, during and after the deletion; the held requests may answer those.
    const writing = (async () => {
      for (let i = 0; i < 10; i += 1) await writer.transaction()
    })()
    const what = by === 'table' ? shape : `v1/shape?handle=${handle}`
    const deleted = await get(`${server.url}/${what}`, { method: 'DELETE' })
    assert.equal(deleted.status, 202)
    assert.equal(deleted.text, '')
    for (const answer of await Promise.all(held)) assert.ok([200, 409].includes(answer.status))
    const late = await get(live)
    assert.equal(late.status, 409)
    assert.notEqual(handleOf(late), handle)
    await writing
  }

  const stale = [...seen][0]
  const unknown = await get(`${server.url}/v1/shape?handle=${stale}`, { method: 'DELETE' })
  assert.equal(unknown.status, 404)

  const deadline = performance.now() + 30_000
  for (;;) {
    const { rows: wanted } = await database.query('SELECT * FROM items')
    const difference = view.difference(wanted, keyOf)
    if (difference === null) break
    assert.ok(performance.now() < deadline, difference)
    await sleep(20)
  }
  leave.abort()
  await following
  assert.deepEqual(view.violations, [])
  assert.ok(view.mustRefetches >= 1 && view.mustRefetches <= 4, `${view.mustRefetches} must-refetch`)
  assert.equal((await server.end('SIGTERM')).code, 0, server.logTail())
})
