// Official clients of nested subquery shapes over ten kill -9 in the middle of writes, as a test.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./moves.mjs', import.meta.url))

/** As a process of its own: a crash of the script is a failure too, and its timers end with it. */
const run = (...options) =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [script, '--json', ...options], (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr || error.message))
      else resolve(JSON.parse(stdout))
    })
  })

test('nested subquery shapes go on through ten kill -9', { timeout: 600_000 }, async (t) => {
  const { figures, complaints } = await run()
  t.diagnostic(JSON.stringify(figures))
  assert.deepEqual(complaints, [])
  assert.equal(figures.kills, 10)
  for (const seen of ['movesIn', 'movesOut', 'rowsMovedIn', 'rowsMovedOut']) {
    assert.ok(figures[seen] > 20, `${seen}: ${figures[seen]}`)
  }
})
