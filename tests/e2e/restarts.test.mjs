// Runs the end-to-end script as a test, at a size that fits into every CI run.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan, runRestarts } from './restarts.mjs'

test('the plan spreads the kills over the transactions', () => {
  const events = plan({ transactions: 600, kills: 5 })
  assert.deepEqual(
    events.filter((event) => event.what === 'kill').map((event) => event.at),
    [100, 200, 300, 400, 500],
  )
  assert.equal(events.length, 7)
})

test('clients follow through kill -9, SIGTERM and a restart of Postgres', { timeout: 300_000 }, async () => {
  const { figures, complaints } = await runRestarts()
  console.log(JSON.stringify(figures))
  assert.deepEqual(complaints, [])
  assert.equal(figures.committed, 1000)
  assert.equal(figures.asynchronous, 500)
})
