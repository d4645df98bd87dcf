// What has a table's name and can have no shape is refused by what it is: "does not exist" would send
// people to look for a misspelling.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Postgres, Server } from './harness.mjs'

let postgres
let database
before(async () => {
  postgres = new Postgres()
  database = await postgres.connect()
  await database.query(`CREATE TABLE items (id int PRIMARY KEY);
    CREATE VIEW seen AS SELECT * FROM items;
    CREATE TABLE parted (id int) PARTITION BY LIST (id);
    CREATE TABLE part PARTITION OF parted FOR VALUES IN (1)`)
})
after(async () => {
  await database?.end()
  postgres?.stop()
})

test('views and partitions are refused by what they are', { timeout: 60_000 }, async (t) => {
  const server = new Server(postgres.url, { env: {} })
  t.after(() => server.close())
  await server.start()
  const refusal = async (query) => {
    const answer = await fetch(`${server.url}/v1/shape?offset=-1&${query}`)
    assert.equal(answer.status, 400)
    return JSON.parse(await answer.text())
  }
  const because = (what) => ({
    message: 'Invalid request',
    errors: {
      table: [
        `Table ${what}. Shapes are of ordinary tables; views, foreign and unlogged tables, partitioned tables and their partitions are not supported.`,
      ],
    },
  })
  assert.deepEqual(await refusal('table=seen'), because('"public"."seen" is a view'))
  assert.deepEqual(await refusal('table=parted'), because('"public"."parted" is partitioned'))
  assert.deepEqual(
    await refusal('table=part'),
    because('"public"."part" is a partition of another table')
  )
  const where = encodeURIComponent('id IN (SELECT id FROM seen)')
  assert.deepEqual(await refusal(`table=items&where=${where}`), because('"public"."seen" is a view'))
  assert.match((await refusal('table=nothing')).errors.table[0], /does not exist/)
})
