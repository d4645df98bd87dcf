#!/usr/bin/env node
// Official clients of nested subquery shapes, their long polls open, over restarts by kill -9 in the
// middle of writes. After each, every client's view must be Postgres' own answer, by the same handle,
// and nobody may have been told to start again.
//
//   node tests/e2e/moves.mjs [--kills 10] [--transactions 60] [--rate 150] [--seed 1] [--json]
//
// Exit code: 0 all claims held, 1 some did not, 2: the run itself failed.
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Client, Postgres, Server, closeRun } from './harness.mjs'
import { HierarchyWriter, fill, shapes } from './hierarchy.mjs'
import { MovingView } from './moving_view.mjs'
import { drawer } from './workload.mjs'

/** `transactions`: between two restarts. */
export const defaults = { kills: 10, transactions: 60, rate: 150, seed: 1 }

const settleMs = 60_000
const keyOf = (row) => String(row.id)

class Run {
  constructor(options) {
    this.options = { ...defaults, ...options }
    this.draw = drawer(this.options.seed + 1)
    this.clients = []
    this.complaints = []
    this.checks = 0
  }

  client(name, shape) {
    const client = new Client(this.server.url, name, shapes[shape].params, new MovingView(name))
    client.shape = shape
    this.clients.push(client)
  }

  async open() {
    this.postgres = new Postgres()
    this.database = await this.postgres.connect()
    await fill(this.database)
    this.server = new Server(this.postgres.url, {
      ...(this.options.binary ? { binary: this.options.binary } : {}),
    })
    await this.server.start()
    this.writer = new HierarchyWriter(() => this.postgres.connect(), this.options)
    await this.writer.open()
    for (const shape of Object.keys(shapes)) this.client(shape, shape)
    await this.settle('at the start')
  }

  /** Writes at the given rate; somewhere in the middle the server dies and comes back. */
  async round(number) {
    const { transactions, rate } = this.options
    const killAt = Math.floor(transactions / 4) + this.draw(Math.ceil(transactions / 2))
    const began = performance.now()
    let restart = null
    for (let i = 0; i < transactions; i += 1) {
      const due = began + (i * 1000) / rate
      if (due > performance.now()) await sleep(due - performance.now())
      await this.writer.transaction()
      if (i === killAt) restart = sleep(this.draw(20)).then(() => this.kill())
    }
    await restart
    const names = Object.keys(shapes)
    this.client(`fresh ${number}`, names[number % names.length])
    await this.settle(`after restart ${number}`)
  }

  async kill() {
    await this.server.end('SIGKILL')
    await this.server.start()
  }

  async settle(when) {
    const deadline = performance.now() + settleMs
    for (const client of this.clients) {
      const { rows } = await this.database.query(shapes[client.shape].sql)
      const equal = () => client.view.difference(rows, keyOf) === null
      const left = Math.max(1000, deadline - performance.now())
      await client.waitUntil(equal, 'equal to Postgres', left).catch((error) => {
        this.complaints.push(`${when}: ${error.message}: ${client.view.difference(rows, keyOf)}`)
      })
      this.checks += 1
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

  figures() {
    const sum = (of) => this.clients.reduce((all, client) => all + of(client.view), 0)
    return {
      ...this.options,
      committed: this.writer.committed,
      checks: this.checks,
      clients: this.clients.length,
      movesIn: sum((view) => view.movesIn),
      movesOut: sum((view) => view.movesOut),
      rowsMovedIn: sum((view) => view.rowsMovedIn),
      rowsMovedOut: sum((view) => view.rowsMovedOut),
      mustRefetches: sum((view) => view.mustRefetches),
      serverStartMs: this.server.startMs.map(Math.round),
    }
  }
}

/** Resolves to {figures, complaints}; no complaints means that every claim held. */
export async function runMoves(options = {}) {
  const run = new Run(options)
  try {
    await run.open()
    for (let i = 1; i <= run.options.kills && run.complaints.length === 0; i += 1) await run.round(i)
    run.checkClients()
    if (run.complaints.length > 0) run.complaints.push(`server log:\n${run.server.logTail()}`)
    return { figures: run.figures(), complaints: run.complaints }
  } finally {
    await closeRun(run)
  }
}

function parameters() {
  const text = { type: 'string' }
  const { values } = parseArgs({
    options: {
      kills: text, transactions: text, rate: text, seed: text, binary: text,
      json: { type: 'boolean', default: false },
    },
  })
  const { json, binary, ...numbers } = values
  const options = binary === undefined ? {} : { binary }
  for (const [name, digits] of Object.entries(numbers)) {
    if (!/^\d+$/.test(digits)) throw new Error(`--${name} wants a number, not ${digits}`)
    options[name] = Number(digits)
  }
  return { json, options }
}

async function main() {
  const { json, options } = parameters()
  const result = await runMoves(options)
  if (json) console.log(JSON.stringify(result))
  else {
    for (const [name, value] of Object.entries(result.figures)) console.log(`${name.padEnd(16)} ${value}`)
    for (const complaint of result.complaints) console.log(`!! ${complaint}`)
    console.log(result.complaints.length === 0 ? 'all claims held' : `${result.complaints.length} complaints`)
  }
  return result.complaints.length === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const status = await main().catch((error) => {
    console.error(`!! ${error.message}`)
    return 2
  })
  process.exit(status) // the official client keeps a timer of a minute that nobody waits for
}
