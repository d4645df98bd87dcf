// The promise of the project, end to end: the official client follows shapes through kill -9,
// SIGTERM and a restart of Postgres while transactions go on, and nothing is lost, repeated or
// fetched anew.
//
//   node tests/e2e/restarts.mjs [--rows N] [--transactions N] [--kills N] [--sync-kills N]
//                                [--rate PER_SECOND] [--seed N] [--binary PATH] [--json]
//
// Prints a summary of figures; exit 0: every claim held, 1: some did not, 2: the run itself failed.
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Client, Postgres, Server, closeRun } from './harness.mjs'
import { Writer, drawer, fill } from './workload.mjs'

export const defaults = { rows: 2000, transactions: 1000, kills: 5, syncKills: 1, rate: 200, seed: 1 }

const shapes = {
  whole: { params: { table: 'items' }, sql: 'SELECT * FROM items' },
  filtered: {
    params: { table: 'items', where: 'counter > 50', columns: ['id', 'counter'] },
    sql: 'SELECT id, counter FROM items WHERE counter > 50',
  },
}

const keyOf = (row) => String(row.id)

/** The points of the run at which something happens, by number of committed transactions: a kill at a
 *  random point of each of as many equal parts as there are kills, `delayMs` after the commit. */
export function plan({ transactions, kills, seed }) {
  const draw = drawer(seed + 1)
  const between = (part, of) => Math.floor((transactions * part) / of)
  const events = []
  for (let i = 0; i < kills; i += 1) {
    const begin = between(i, kills)
    const length = Math.max(1, between(i + 1, kills) - begin)
    events.push({ at: begin + draw(length), what: 'kill', delayMs: draw(20) })
  }
  events.push({ at: between(1, 4), what: 'terminate' }, { at: between(2, 3), what: 'postgres' })
  return events.sort((a, b) => a.at - b.at)
}

class Run {
  constructor(options) {
    this.options = { ...defaults, ...options }
    this.figures = { ...this.options }
    this.clients = []
    this.complaints = []
  }

  client(name, shape) {
    const client = new Client(this.server.url, name, shapes[shape].params)
    client.shape = shape
    this.clients.push(client)
    return client
  }

  async open() {
    const { rows, seed, binary } = this.options
    this.postgres = new Postgres()
    this.database = await this.postgres.connect()
    await fill(this.database, rows)
    this.server = new Server(this.postgres.url, binary ? { binary } : {})
    await this.server.start()
    this.writer = new Writer(() => this.postgres.connect(), { rows, seed })
    await this.writer.open()
  }

  async initialSync() {
    const began = performance.now()
    const whole = this.client('whole', 'whole')
    this.client('filtered', 'filtered')
    const draw = drawer(this.options.seed + 2)
    for (let i = 0; i < this.options.syncKills; i += 1) {
      await sleep(draw(Math.ceil(this.options.rows / 100)))
      await this.server.end('SIGKILL')
      await this.server.start()
    }
    await whole.waitUntil(() => whole.view.upToDates > 0, 'up to date', 60_000)
    this.figures.initialSyncMs = Math.round(performance.now() - began)
    if (whole.view.rows.size !== this.options.rows) {
      this.complaints.push(`initial sync: ${whole.view.rows.size} of ${this.options.rows} rows`)
    }
    await this.settle(60_000)
  }

  async writeThroughFaults() {
    const began = performance.now()
    let faults = Promise.resolve()
    for (const event of [...plan(this.options), { at: this.options.transactions }]) {
      while (this.writer.committed < event.at) await this.writeOne(began)
      await faults
      // Writing goes on while the server dies and comes back; only Postgres' own restart stops it.
      if (event.what === 'postgres') await this.restartPostgres()
      else if (event.what !== undefined) {
        faults = sleep(event.delayMs ?? 0).then(() => this.restartServer(event.what))
      }
    }
    await faults
    this.figures.writeMs = Math.round(performance.now() - began)
  }

  /** At the given rate, so that each fault hits a stream in progress and not a finished one. */
  async writeOne(began) {
    const due = began + (this.writer.committed * 1000) / this.options.rate
    if (due > performance.now()) await sleep(due - performance.now())
    await this.writer.transaction()
  }

  async restartServer(what) {
    const ended = await this.server.end(what === 'kill' ? 'SIGKILL' : 'SIGTERM')
    if (what === 'terminate' && ended.code !== 0) {
      this.complaints.push(`SIGTERM: exit ${ended.code ?? ended.signal}\n${this.server.logTail()}`)
    }
    await this.server.start()
    this.client(`fresh ${this.clients.length}`, 'whole')
  }

  async restartPostgres() {
    await this.writer.close()
    await this.database.end()
    this.postgres.restart()
    this.database = await this.postgres.connect()
    await this.writer.open()
  }

  /** Waits until every client shows what Postgres has; complains of those that never do. */
  async settle(timeoutMs) {
    const deadline = performance.now() + timeoutMs
    for (const client of this.clients) {
      const { rows } = await this.database.query(shapes[client.shape].sql)
      const left = Math.max(1000, deadline - performance.now())
      const equal = () => client.view.difference(rows, keyOf) === null
      await client.waitUntil(equal, 'equal to Postgres', left).catch((error) => {
        this.complaints.push(`${error.message}: ${client.view.difference(rows, keyOf)}`)
      })
    }
  }

  checkClients() {
    for (const client of this.clients) this.complaints.push(...client.complaints())
    for (const shape of Object.keys(shapes)) {
      const handles = new Set(
        this.clients.filter((c) => c.shape === shape).flatMap((c) => [...c.handles]),
      )
      if (handles.size !== 1) this.complaints.push(`${shape}: handles ${[...handles].join(', ')}`)
    }
  }

  collectFigures() {
    const sum = (values) => values.reduce((a, b) => a + b, 0)
    const statuses = {}
    for (const client of this.clients) {
      for (const [status, count] of Object.entries(client.statuses)) {
        statuses[status] = (statuses[status] ?? 0) + count
      }
    }
    Object.assign(this.figures, {
      committed: this.writer.committed,
      asynchronous: this.writer.asynchronous,
      statements: this.writer.statements,
      clients: this.clients.length,
      messages: sum(this.clients.map((client) => client.view.messages)),
      mustRefetches: sum(this.clients.map((client) => client.view.mustRefetches)),
      networkErrors: sum(this.clients.map((client) => client.networkErrors)),
      cutAnswers: sum(this.clients.map((client) => client.cutAnswers)),
      statuses,
      serverStartMs: this.server.startMs.map(Math.round),
    })
  }
}

/** Resolves to {figures, complaints}; no complaints means that every claim held. */
export async function runRestarts(options = {}) {
  const run = new Run(options)
  try {
    await run.open()
    await run.initialSync()
    await run.writeThroughFaults()
    const began = performance.now()
    run.client('last', 'whole')
    await run.settle(60_000)
    run.figures.settleMs = Math.round(performance.now() - began)
    run.checkClients()
    const ended = await run.server.end('SIGTERM')
    if (ended.code !== 0) run.complaints.push(`final SIGTERM: exit ${ended.code ?? ended.signal}`)
    run.collectFigures()
    if (run.complaints.length > 0) run.complaints.push(`server log:\n${run.server.logTail()}`)
    return { figures: run.figures, complaints: run.complaints }
  } finally {
    await closeRun(run)
  }
}

function parameters() {
  const text = { type: 'string' }
  const { values } = parseArgs({
    options: {
      rows: text, transactions: text, kills: text, rate: text, seed: text, binary: text,
      'sync-kills': text, json: { type: 'boolean', default: false },
    },
  })
  const { json, binary, ...numbers } = values
  const options = binary === undefined ? {} : { binary }
  for (const [name, digits] of Object.entries(numbers)) {
    if (!/^\d+$/.test(digits)) throw new Error(`--${name} wants a number, not ${digits}`)
    options[name === 'sync-kills' ? 'syncKills' : name] = Number(digits)
  }
  return { json, options }
}

function print({ figures, complaints }) {
  for (const [name, value] of Object.entries(figures)) {
    console.log(`${name.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
  }
  for (const complaint of complaints) console.log(`!! ${complaint}`)
  console.log(complaints.length === 0 ? 'all claims held' : `${complaints.length} complaints`)
}

async function main() {
  const { json, options } = parameters()
  const result = await runRestarts(options)
  if (json) console.log(JSON.stringify(result))
  else print(result)
  return result.complaints.length === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const status = await main().catch((error) => {
    console.error(`!! ${error.message}`)
    return 2
  })
  process.exit(status) // the official client keeps a timer of a minute that nobody waits for
}
