// Transactions that make losses and repetitions visible: inserts, updates, deletes, changes of the
// key, several statements each, half of them committed asynchronously. The choice is drawn from a
// seed; the database's own state decides what exists.

/** Mulberry32: small, seeded, good enough to choose statements. */
export function drawer(seed) {
  let state = seed >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % bound
  }
}

export const schema = `
  CREATE TABLE items (
    id int8 PRIMARY KEY,
    title text NOT NULL,
    counter int4 NOT NULL,
    note text
  )`

export async function fill(database, rows) {
  await database.query(schema)
  await database.query(
    `INSERT INTO items SELECT n, 'title ' || n, n % 100, CASE WHEN n % 3 = 0 THEN NULL ELSE 'n' END
     FROM generate_series(1, $1::int8) AS n`,
    [rows],
  )
}

export class Writer {
  constructor(connect, { rows, seed }) {
    this.connect = connect
    this.draw = drawer(seed)
    this.ids = Array.from({ length: rows }, (_, i) => i + 1)
    this.nextId = rows + 1
    this.committed = 0
    this.asynchronous = 0
    this.statements = 0
  }

  async open() {
    this.database = await this.connect()
  }

  async close() {
    await this.database?.end().catch(() => {})
  }

  async transaction() {
    const database = this.database
    await database.query('BEGIN')
    if (this.committed % 2 === 1) {
      await database.query('SET LOCAL synchronous_commit = off')
      this.asynchronous += 1
    }
    const statements = 1 + this.draw(4)
    for (let i = 0; i < statements; i += 1) await this.statement(database)
    await database.query('COMMIT')
    this.committed += 1
    this.statements += statements
  }

  async statement(database) {
    const kind = this.ids.length < 10 ? 0 : this.draw(10)
    if (kind < 3) return this.insert(database)
    const index = this.draw(this.ids.length)
    const id = this.ids[index]
    if (kind < 8) {
      return database.query('UPDATE items SET counter = $2, title = title || $3 WHERE id = $1', [
        id, this.draw(100), this.draw(4) === 0 ? '+' : '',
      ])
    }
    if (kind === 8) {
      this.ids[index] = this.nextId
      this.nextId += 1
      return database.query('UPDATE items SET id = $2 WHERE id = $1', [id, this.ids[index]])
    }
    this.ids[index] = this.ids[this.ids.length - 1]
    this.ids.pop()
    return database.query('DELETE FROM items WHERE id = $1', [id])
  }

  insert(database) {
    const id = this.nextId
    this.nextId += 1
    this.ids.push(id)
    return database.query('INSERT INTO items VALUES ($1, $2, $3, $4)', [
      id, `new "${id}" ✓`, this.draw(100), this.draw(3) === 0 ? null : 'x',
    ])
  }
}
