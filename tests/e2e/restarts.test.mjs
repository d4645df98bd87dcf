// Runs the end-to-end script as a test, at a size that fits into every CI run.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plan } from './restarts.mjs'

const script = fileURLToPath(new URL('./restarts.mjs', import.meta.url))

/** As a process of its own: a crash of the script is a failure too, and its timers end with it. */
const run = (...options) =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [script, '--json', ...options], (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr || error.message))
      else resolve(JSON.parse(stdout))
    })
  })

test('the plan spreads the kills over the transactions', () => {
  const events = plan({ transactions: 600, kills: 5 })
  assert.deepEqual(
    events.filter((event) => event.what === 'kill').map((event) => event.at),
    [100, 200, 300, 400, 500],
  )
  assert.equal(events.length, 7)
})

test('clients follow through kill -9, SIGTERM and a restart of Postgres', { timeout: 300_000 }, async (t) => {
  const { figures, complaints } = await run()
  t.diagnostic(JSON.stringify(figures))
  assert.deepEqual(complaints, [])
  assert.equal(figures.committed, 1000)
  assert.equal(figures.asynchronous, 500)
})
