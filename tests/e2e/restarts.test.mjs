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

test('the plan has one kill in each part of the run, at a point that the seed decides', () => {
  const points = (seed) =>
    plan({ transactions: 600, kills: 5, seed })
      .filter((event) => event.what === 'kill')
      .map((event) => event.at)
  assert.deepEqual(
    points(1).map((at) => Math.floor(at / 120)),
    [0, 1, 2, 3, 4],
  )
  assert.deepEqual(points(1), points(1))
  assert.notDeepEqual(points(1), points(2))
  assert.equal(plan({ transactions: 600, kills: 5, seed: 1 }).length, 7)
})

test('clients follow through kill -9, SIGTERM and a restart of Postgres', { timeout: 300_000 }, async (t) => {
  const { figures, complaints } = await run()
  t.diagnostic(JSON.stringify(figures))
  assert.deepEqual(complaints, [])
  assert.equal(figures.committed, 1000)
  assert.equal(figures.asynchronous, 500)
})
