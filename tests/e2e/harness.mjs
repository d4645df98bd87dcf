// The outside world of an end-to-end run: a throwaway Postgres (tools/lib.sh), the server as a
// process that can be killed, and clients of the official package. Everything started here is stopped
// by close(), also after a failure.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, createWriteStream } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FetchError, ShapeStream } from '@electric-sql/client'
import pg from 'pg'
import { StrictView } from './view.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** HOLDFAST_BINARY points the same tests at another build, such as a sanitizer's. */
const defaultBinary = process.env.HOLDFAST_BINARY || join(root, 'build/release/holdfast')

const shell = (script, env = {}) =>
  execFileSync('bash', ['-c', `set -e; source "${root}/tools/lib.sh"; ${script}`], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
  }).trim()

export class Postgres {
  constructor() {
    const [dir, url] = shell('start_postgres; echo "$POSTGRES_DIR $DATABASE_URL"').split(' ')
    this.dir = dir
    this.url = url
  }

  restart() {
    shell('restart_postgres fast', { POSTGRES_DIR: this.dir })
  }

  stop() {
    shell('stop_postgres', { POSTGRES_DIR: this.dir })
  }

  async connect() {
    const client = new pg.Client({ connectionString: this.url })
    client.on('error', () => {}) // the next query reports it
    await client.connect()
    return client
  }
}

export const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

/** `holdfast serve` on one port and one storage directory, through any number of processes. */
export class Server {
  constructor(databaseUrl, { binary = defaultBinary, env = {} } = {}) {
    this.binary = binary
    this.dir = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'))
    this.env = { DATABASE_URL: databaseUrl, ELECTRIC_INSECURE: 'true', ...env }
    this.startMs = []
    this.child = null
  }

  get url() {
    return `http://127.0.0.1:${this.port}`
  }

  get logFile() {
    return join(this.dir, 'server.log')
  }

  /** `health`: the statuses of /v1/health that count as started; 202 is "without Postgres". */
  async start({ health = [200] } = {}) {
    this.port ??= await freePort()
    const began = performance.now()
    const log = createWriteStream(this.logFile, { flags: 'a' })
    this.child = spawn(this.binary, ['serve'], {
      cwd: this.dir,
      env: {
        ...process.env,
        ...this.env,
        ELECTRIC_PORT: String(this.port),
        ELECTRIC_STORAGE_DIR: join(this.dir, 'storage'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout.pipe(log, { end: false })
    this.child.stderr.pipe(log, { end: false })
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => resolve({ error }))
      this.child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    await this.waitUntilHealth(health)
    this.startMs.push(performance.now() - began)
  }

  async waitUntilHealth(accepted, timeoutMs = 60_000) {
    const deadline = performance.now() + timeoutMs
    let last = 'no answer'
    while (performance.now() < deadline) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the server ended while starting\n${this.logTail()}`)
      }
      try {
        const answer = await fetch(`${this.url}/v1/health`)
        last = await answer.text()
        if (accepted.includes(answer.status)) return
      } catch (error) {
        last = String(error.cause?.code ?? error.message)
      }
      await sleep(10)
    }
    throw new Error(`the server is not up after ${timeoutMs} ms: ${last}\n${this.logTail()}`)
  }

  /** Sends the signal and waits for the end. Resolves to {code, signal}. */
  async end(signal, timeoutMs = 30_000) {
    this.child.kill(signal)
    const ended = await Promise.race([this.exited, sleep(timeoutMs, null, { ref: false })])
    if (ended === null) throw new Error(`the server outlived ${signal} by ${timeoutMs} ms`)
    return ended
  }

  logTail(lines = 30) {
    try {
      return readFileSync(this.logFile, 'utf8').split('\n').slice(-lines).join('\n')
    } catch {
      return '(no log)'
    }
  }

  async close() {
    const running = this.child && this.child.exitCode === null && this.child.signalCode === null
    if (running) {
      this.child.kill('SIGKILL')
      await this.exited
    }
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** One official client of one shape, with everything it saw written down. */
export class Client {
  constructor(serverUrl, name, params, view = new StrictView(name)) {
    this.view = view
    this.statuses = {}
    this.networkErrors = 0
    this.cutAnswers = 0
    this.handles = new Set()
    this.fatal = null
    this.abort = new AbortController()
    this.stream = new ShapeStream({
      url: `${serverUrl}/v1/shape`,
      params,
      signal: this.abort.signal,
      backoffOptions: { initialDelay: 20, maxDelay: 500, multiplier: 1.5 },
      fetchClient: (...args) => this.fetch(...args),
      onError: (error) => this.onError(error),
    })
    this.stream.subscribe(
      (messages) => this.view.apply(messages),
      (error) => {
        this.fatal = error
      },
    )
  }

  /** The official client repeats a request whose connection fails, but asks its application about an
   *  answer that was cut off in the middle. {} is "go on from where you are". */
  onError(error) {
    if (error instanceof FetchError && error.status === 200) {
      this.cutAnswers += 1
      return {}
    }
    this.fatal = error
    return undefined
  }

  async fetch(...args) {
    let response
    try {
      response = await fetch(...args)
    } catch (error) {
      if (!this.abort.signal.aborted) this.networkErrors += 1
      throw error
    }
    this.statuses[response.status] = (this.statuses[response.status] ?? 0) + 1
    const handle = response.headers.get('electric-handle')
    if (handle !== null) this.handles.add(handle)
    return response
  }

  async waitUntil(condition, what, timeoutMs) {
    const deadline = performance.now() + timeoutMs
    while (!condition()) {
      if (this.fatal !== null) throw new Error(`${this.view.name}: ${this.fatal}`)
      if (performance.now() > deadline) {
        throw new Error(`${this.view.name}: not ${what} after ${timeoutMs} ms`)
      }
      await sleep(5)
    }
  }

  /** Every reason to call this client's experience wrong. */
  complaints() {
    const found = [...this.view.violations]
    const { name, mustRefetches } = this.view
    if (mustRefetches > 0) found.push(`${name}: ${mustRefetches} must-refetch`)
    if (this.handles.size !== 1) found.push(`${name}: handles ${[...this.handles].join(', ')}`)
    for (const [status, count] of Object.entries(this.statuses)) {
      if (!['200', '304', '503'].includes(status)) found.push(`${name}: ${count} × status ${status}`)
    }
    if (this.fatal !== null) found.push(`${name}: ${this.fatal}`)
    return found
  }

  close() {
    this.abort.abort()
    this.stream.unsubscribeAll()
  }
}

/** Ends what a run of a scenario has begun, as far as it came. */
export async function closeRun({ clients, writer, database, server, postgres }) {
  for (const client of clients) client.close()
  await writer?.close()
  await database?.end().catch(() => {})
  await server?.close()
  postgres?.stop()
}
