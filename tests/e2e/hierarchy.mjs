// Four levels of rows with tags, shapes of the lowest that ask about those above, and transactions
// that move rows in and out of them: toggles, other parents, tags that come and go, other values,
// other keys. The choice is drawn from a seed.
import { drawer } from './workload.mjs'

export const shapes = {
  nested: {
    params: {
      table: 'l4',
      where:
        'l3_id IN (SELECT id FROM l3 WHERE active AND l2_id IN (SELECT id FROM l2 WHERE active AND ' +
        'l1_id IN (SELECT id FROM l1 WHERE active)))',
    },
  },
  negated: {
    params: { table: 'l4', where: 'l3_id NOT IN (SELECT id FROM l3 WHERE active) AND v > 2' },
  },
  either: {
    params: {
      table: 'l4',
      where:
        "id IN (SELECT owner_id FROM l4_tags WHERE tag = 'a') OR " +
        'l3_id IN (SELECT id FROM l3 WHERE l2_id IN (SELECT id FROM l2 WHERE active))',
    },
  },
}
for (const shape of Object.values(shapes)) {
  shape.sql = `SELECT * FROM ${shape.params.table} WHERE ${shape.params.where}`
}

const sizes = { l1: 4, l2: 8, l3: 16, l4: 200 }

export async function fill(database) {
  await database.query(`
    CREATE TABLE l1 (id int8 PRIMARY KEY, active bool NOT NULL);
    CREATE TABLE l2 (id int8 PRIMARY KEY, l1_id int8, active bool NOT NULL);
    CREATE TABLE l3 (id int8 PRIMARY KEY, l2_id int8, active bool NOT NULL);
    CREATE TABLE l4 (id int8 PRIMARY KEY, l3_id int8, v int4 NOT NULL);
    CREATE TABLE l4_tags (id int8 PRIMARY KEY, owner_id int8, tag text);
    INSERT INTO l1 SELECT n, n % 2 = 0 FROM generate_series(1, ${sizes.l1}) n;
    INSERT INTO l2 SELECT n, 1 + n % ${sizes.l1}, n % 3 > 0 FROM generate_series(1, ${sizes.l2}) n;
    INSERT INTO l3 SELECT n, 1 + n % ${sizes.l2}, n % 3 > 0 FROM generate_series(1, ${sizes.l3}) n;
    INSERT INTO l4 SELECT n, CASE WHEN n % 9 > 0 THEN 1 + n % ${sizes.l3} END, n % 6
      FROM generate_series(1, ${sizes.l4}) n;
    INSERT INTO l4_tags SELECT n, 1 + n % ${sizes.l4}, CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END
      FROM generate_series(1, 60) n`)
}

export class HierarchyWriter {
  constructor(connect, { seed }) {
    this.connect = connect
    this.draw = drawer(seed)
    this.committed = 0
    this.nextTag = 1000
    this.nextKey = 1000
  }

  async open() {
    this.database = await this.connect()
  }

  async close() {
    await this.database?.end().catch(() => {})
  }

  async transaction() {
    await this.database.query('BEGIN')
    if (this.committed % 2 === 1) await this.database.query('SET LOCAL synchronous_commit = off')
    const statements = 1 + this.draw(4)
    for (let i = 0; i < statements; i += 1) await this.database.query(this.statement())
    await this.database.query('COMMIT')
    this.committed += 1
  }

  row(table) {
    return 1 + this.draw(sizes[table])
  }

  statement() {
    const kind = this.draw(12)
    const level = ['l1', 'l2', 'l3'][this.draw(3)]
    if (kind < 5) return `UPDATE ${level} SET active = NOT active WHERE id = ${this.row(level)}`
    if (kind === 5) return `UPDATE l4 SET l3_id = ${this.draw(8) ? this.row('l3') : 'NULL'} WHERE id = ${this.row('l4')}`
    if (kind === 6) return `UPDATE l3 SET l2_id = ${this.row('l2')} WHERE id = ${this.row('l3')}`
    if (kind === 7) {
      this.nextTag += 1
      return `INSERT INTO l4_tags VALUES (${this.nextTag}, ${this.row('l4')}, 'a')`
    }
    if (kind === 8) return `DELETE FROM l4_tags WHERE owner_id = ${this.row('l4')}`
    if (kind === 9) return `UPDATE l4 SET v = ${this.draw(6)} WHERE id = ${this.row('l4')}`
    this.nextKey += 1
    if (kind === 10) return `INSERT INTO l4 VALUES (${this.nextKey}, ${this.row('l3')}, ${this.draw(6)})`
    return `UPDATE l4 SET id = ${this.nextKey} WHERE id = (SELECT max(id) FROM l4)`
  }
}
