// What one client of one shape knows, strictly: an insert only of an absent key, updates and deletes
// only of present ones, positions that only grow. Whatever is lost or sent twice shows as a
// violation, also where the final rows happen to be right.

const position = (headers) =>
  headers.lsn === undefined ? null : [BigInt(headers.lsn), BigInt(headers.op_position ?? 0)]

const isAfter = (a, b) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1])

export class StrictView {
  constructor(name) {
    this.name = name
    this.rows = new Map()
    this.violations = []
    this.mustRefetches = 0
    this.messages = 0
    this.upToDates = 0
    this.last = null
  }

  /** Takes a batch as the official client hands it to a subscriber. */
  apply(messages) {
    for (const message of messages) this.applyOne(message)
  }

  applyOne(message) {
    const { headers } = message
    if (headers.control !== undefined) return this.control(headers)
    this.messages += 1
    this.checkPosition(message)
    const known = this.rows.has(message.key)
    switch (headers.operation) {
      case 'insert':
        if (known) this.object(message, 'insert of a key that is there')
        this.rows.set(message.key, { ...message.value })
        break
      case 'update':
        if (!known) this.object(message, 'update of a key that is not there')
        this.rows.set(message.key, { ...this.rows.get(message.key), ...message.value })
        break
      case 'delete':
        if (!known) this.object(message, 'delete of a key that is not there')
        this.rows.delete(message.key)
        break
      default:
        this.object(message, 'unknown operation')
    }
  }

  control(headers) {
    if (headers.control === 'up-to-date') this.upToDates += 1
    if (headers.control === 'must-refetch') {
      this.mustRefetches += 1
      this.rows.clear()
      this.last = null
    }
  }

  checkPosition(message) {
    const at = position(message.headers)
    if (at === null) return
    if (this.last !== null && !isAfter(at, this.last)) {
      this.object(message, `position does not grow beyond ${this.last.join('_')}`)
    }
    this.last = at
  }

  object(message, what) {
    this.violations.push(`${this.name}: ${what}: ${message.key} ${JSON.stringify(message.headers)}`)
  }

  /** null if the view has exactly these rows; else one sentence about the first difference. */
  difference(expected, keyOf) {
    const wanted = new Map(expected.map((row) => [keyOf(row), row]))
    const mine = new Map([...this.rows.values()].map((row) => [keyOf(row), row]))
    if (mine.size !== this.rows.size) return `${this.name}: two keys hold the same row`
    for (const [key, row] of wanted) {
      if (!mine.has(key)) return `${this.name}: row ${key} is missing`
      const got = mine.get(key)
      for (const column of Object.keys(row)) {
        if (String(got[column]) !== String(row[column])) {
          return `${this.name}: row ${key} has ${column} ${got[column]}, Postgres has ${row[column]}`
        }
      }
    }
    for (const key of mine.keys()) {
      if (!wanted.has(key)) return `${this.name}: row ${key} is not in Postgres`
    }
    return null
  }
}
