import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import type { MigrationReport } from '../../src/report/model.ts'
import { guest, migrate } from '../pipeline/synthetic.ts'
import { capture, pcap, Wire } from '../support/capture.ts'
import { chain } from '../support/chain.ts'
import { HAS_TERMINAL, Terminal } from '../support/terminal.ts'
import { run } from './run.ts'

const COMMAND = 'bin/mig-phases.js'
const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-live-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const IDLE = 'fixtures/libvirt-9.0/idle.pcap.gz'
/** In segments as the sender's network card gets them, so that it has few packets. */
const LARGE = 'fixtures/libvirt-9.0/offload-on.pcap.gz'
const SMALL = ['fixtures/libvirt-9.0/rpc-only.pcap.gz', 'fixtures/libvirt-9.0/fail-conflict.pcap.gz']

/** Pieces of a capture: its header, then a packet each. */
const pieces = (paths: readonly string[], pauseS: number): Uint8Array[] => [...chain(paths, { pauseS })]
const joined = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)

/** What the report of the same bytes in a file says. */
async function ofFile(bytes: Uint8Array): Promise<MigrationReport[]> {
  const path = join(FOLDER, 'whole.pcap')
  writeFileSync(path, bytes)
  const { stdout } = await run([path, '-f', 'json'])
  return JSON.parse(stdout.replaceAll(JSON.stringify(path), '"-"')).migrations
}

/** The command with a pipe that is fed by hand. */
class Piped {
  stdout = ''
  stderr = ''
  readonly child: ChildProcess
  readonly closed: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>
  #more: () => void = () => {}

  constructor(words: readonly string[]) {
    this.child = spawn(process.execPath, [COMMAND, ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
    onTestFinished(() => void this.child.kill('SIGKILL'))
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#more()
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.child.stdin?.on('error', () => {})
    this.closed = new Promise((resolve) =>
      this.child.on('close', (status, signal) => resolve({ status, signal })),
    )
  }

  /** Until the command has taken the bytes out of the pipe, as far as that can be told: they are written. */
  async feed(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => this.child.stdin?.write(bytes, () => resolve()))
  }

  async prints(text: string): Promise<void> {
    while (!this.stdout.includes(text))
      await new Promise<void>((resolve) => {
        this.#more = resolve
      })
  }
}

describe('a capture that is still written', () => {
  test('ndjson: a migration is a line as soon as it is over, while the input goes on', async () => {
    const all = pieces(SMALL, 20)
    const live = new Piped(['-', '-f', 'ndjson'])
    await live.feed(joined(all))
    // The input is open until this was read.
    await live.prints('\n')
    const [first] = live.stdout.split('\n')
    expect(JSON.parse(first as string)).toMatchObject({ outcome: 'completed', capture: '-', input: null })
    live.child.stdin?.end()
    expect(await live.closed).toEqual({ status: 0, signal: null })
    const lines = live.stdout.trim().split('\n')
    const migrations = lines.map((line) => JSON.parse(line)).map(({ input, ...migration }) => migration)
    expect(migrations).toEqual(await ofFile(joined(all)))
    expect(live.stderr).toBe('')
  })

  test('table: each migration when it is over, then the capture and the groups', async () => {
    const live = new Piped(['-'])
    await live.feed(joined(pieces(SMALL, 20)))
    await live.prints('Unattributed')
    expect(live.stdout).not.toContain('2 migrations')
    live.child.stdin?.end()
    expect((await live.closed).status).toBe(0)
    const order = [/ {2}completed\n/, / {2}failed\n/, /\n- {2}pcap, .*, 2 migrations\n/, /Coefficient|CoV/]
    const places = order.map((text) => live.stdout.search(text))
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places[0]).toBeGreaterThan(0)
    expect(live.stderr).toBe('')
  })

  test.each(['json', 'csv'])('%s is one document at the end, in order of the starts', async (format) => {
    const bytes = joined(pieces(SMALL, 20))
    const path = join(FOLDER, 'two.pcap')
    writeFileSync(path, bytes)
    const ofPipe = await run(['-', '-f', format], { stdin: bytes })
    const whole = await run([path, '-f', format])
    expect(ofPipe.status).toBe(0)
    // A dash is written so that no spreadsheet takes it for a formula.
    const named = ofPipe.stdout.replaceAll('"-"', JSON.stringify(path)).replaceAll(/^'-,/gm, `${path},`)
    expect(named).toBe(whole.stdout)
  })

  test('a log of pings is measured at the end, as it is that of the only migration at its time', async () => {
    const ping = join(FOLDER, 'ping.txt')
    writeFileSync(ping, '[1795000001.5] 64 bytes from 10.77.0.50: icmp_seq=1 ttl=64 time=0.1 ms\n')
    const { status, stdout } = await run(['-', '-f', 'ndjson', '--ping', ping], {
      stdin: joined(pieces(SMALL, 20)),
    })
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(2)
  })
})

describe('Ctrl-C, and others who end the run', () => {
  /** A migration that is over, which shows that the command reads, and one that breaks off. */
  const all = pieces([SMALL[0] as string, IDLE], 20)
  const known = pieces([SMALL[0] as string], 20).length
  const middle = known + ((all.length - known) >>> 1)
  const [start, half, rest] = [
    joined(all.slice(0, known)),
    joined(all.slice(known, middle)),
    joined(all.slice(middle)),
  ]

  async function midway(): Promise<Piped> {
    const live = new Piped(['-', '-f', 'ndjson'])
    await live.feed(start)
    await live.prints('\n')
    await live.feed(half)
    return live
  }

  const outcomes = ({ stdout }: Piped): string[] =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).outcome)

  test.each(['SIGINT', 'SIGTERM'] as const)('%s: what is known is the report', async (signal) => {
    const live = await midway()
    live.child.kill(signal)
    expect(await live.closed).toEqual({ status: 0, signal: null })
    expect(outcomes(live)).toEqual(['completed', 'incomplete'])
  })

  test('what the program that captures still had is read', async () => {
    const live = await midway()
    live.child.kill('SIGINT')
    await live.feed(rest)
    live.child.stdin?.end()
    expect(await live.closed).toEqual({ status: 0, signal: null })
    expect(outcomes(live)).toEqual(['completed', 'completed'])
    expect(live.stderr).toBe('')
  })

  test('a second time ends the run at once', async () => {
    const live = await midway()
    const before = live.stdout
    while (live.child.exitCode === null && live.child.signalCode === null) {
      live.child.kill('SIGINT')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await live.closed).toEqual({ status: null, signal: 'SIGINT' })
    expect(live.stdout).toBe(before)
  })

  test('through gzip', async () => {
    const live = new Piped(['-', '-f', 'ndjson'])
    const zipped = gzipSync(joined(all))
    await live.feed(zipped.subarray(0, zipped.length - 1000))
    await live.prints('\n')
    live.child.kill('SIGINT')
    expect((await live.closed).status).toBe(0)
    expect(outcomes(live)).toHaveLength(2)
  })

  test('a reader of the report that has gone away ends the run quietly', async () => {
    const live = new Piped(['-', '-f', 'ndjson'])
    live.child.stdout?.destroy()
    await live.feed(joined(pieces([...SMALL, ...SMALL], 20)))
    expect(await live.closed).toEqual({ status: 0, signal: null })
    expect(live.stderr).toBe('')
  })
})

describe.skipIf(!HAS_TERMINAL)("on a terminal (skipped without util-linux's script)", () => {
  function terminal(words: string, columns?: number): Terminal {
    const opened = new Terminal(`"${process.execPath}" ${COMMAND} - ${words} <&3`, { columns })
    onTestFinished(() => opened.kill())
    return opened
  }

  /** The status lines as they were written over, and what was left standing. */
  function lines(output: string): { readonly drawn: string[]; readonly left: string } {
    const parts = output.split('\r\u001b[K')
    const left = parts.map((part) => part.slice(part.indexOf('\n') + 1 || part.length)).join('')
    return { drawn: parts.slice(1).map((part) => part.split('\r\n')[0] as string), left }
  }

  test('phases are shown as they happen, and the migration when it is over', async () => {
    const all = pieces([LARGE], 8)
    const screen = terminal('')
    await screen.sees('No migration under way; 0 packets')
    // Also the first one is not held back.
    screen.input.write(joined(all.slice(0, 2)))
    await screen.sees('No migration under way; 1 packet')
    let at = 2
    // A packet of each phase, as the golden report has them.
    for (const [packet, text] of [
      [187, 'Preparation'],
      [400, 'Transfer'],
      [650, 'Cleanup'],
      [662, 'over, waiting for late packets'],
    ] as const) {
      screen.input.write(joined(all.slice(at, packet + 1)))
      at = packet + 1
      await screen.sees(text)
    }
    expect(screen.output).toMatch(/vm1: Transfer \d+\.\d s, [\d.]+ [MG]bit\/s, [\d.]+ MB, \d+\.\d s in all/)
    screen.input.write(joined(all.slice(at)))
    const report = await screen.sees('Unattributed')
    await screen.sees('No migration under way, 1 reported', report)
    // The wire is silent: that is said, and by which clock.
    await screen.sees(/\[no packet for \d+ s\] No migration/, report)
    screen.input.end()
    expect(await screen.end()).toBe(0)
    const { drawn, left } = lines(screen.output)
    expect(left).not.toContain('No migration')
    expect(left).not.toContain('Transfer 0.')
    expect(drawn.at(-1)).not.toContain('No migration')
  })

  test('on a silent wire the clock of the machine goes on, and is marked', async () => {
    const all = pieces([LARGE], 0)
    const screen = terminal('')
    screen.input.write(joined(all.slice(0, 400)))
    await screen.sees(/\[no packet for \d+ s\] vm1: Transfer ~\d\.\d s/)
    screen.type('\u0003')
    expect(await screen.end()).toBe(0)
    expect(screen.output).toContain('incomplete')
  })

  test('Ctrl-C reaches both ends of a pipe, and nothing is lost', async () => {
    const [path, writer] = [join(FOLDER, 'some.pcap'), join(FOLDER, 'writer.mjs')]
    const all = pieces([LARGE], 0)
    const half = joined(all.slice(0, 400)).length
    writeFileSync(path, joined(all))
    // As tcpdump does: what is there at once, the rest when it is stopped.
    writeFileSync(
      writer,
      `import { readFileSync } from 'node:fs'
const bytes = readFileSync(${JSON.stringify(path)})
process.on('SIGINT', () => process.stdout.write(bytes.subarray(${half}), () => process.exit()))
process.stdout.write(bytes.subarray(0, ${half}))
setInterval(() => {}, 1000)`,
    )
    const node = `"${process.execPath}"`
    const screen = new Terminal(`${node} ${writer} | ${node} ${COMMAND} -`)
    onTestFinished(() => screen.kill())
    await screen.sees('vm1: Transfer')
    screen.type('\u0003')
    expect(await screen.end()).toBe(0)
    expect(screen.output).toMatch(/vm1.*completed/)
    expect(screen.output).not.toContain('middle of a record')
  })

  test('Ctrl-C before the first packet, and a terminal as the input', async () => {
    const screen = terminal('')
    await screen.sees('No migration under way; 0 packets')
    screen.type('\u0003')
    expect(await screen.end()).toBe(1)
    expect(screen.output).toContain('standard input is empty')
    const typed = new Terminal(`"${process.execPath}" ${COMMAND} -`)
    expect(await typed.end()).toBe(1)
    expect(typed.output).toContain('standard input is a terminal: pipe a capture into it')
  })

  test('--no-progress, and standard error elsewhere: no status line', async () => {
    for (const words of ['--no-progress', '2>/dev/null']) {
      const screen = terminal(words)
      screen.input.end(joined(pieces(SMALL, 20)))
      expect(await screen.end()).toBe(0)
      expect(screen.output).toContain('2 migrations')
      expect(screen.output).not.toContain('\u001b[K')
    }
  })

  test.each([30, 100])(
    'a hostile name is inert, and the line is no longer than %i columns',
    async (columns) => {
      const name =
        'vm\u001b[2J\u0007<img onerror=alert(1)>\u202e=cmd()日本語日本語日本語日本語日本語日本語日本語日本語'
      const packets = capture(migrate(new Wire(), undefined, guest(xmlText(name))).passed)
      const screen = terminal('', columns)
      screen.input.write(pcap(packets.slice(0, packets.length >>> 1)))
      await screen.sees('\\x1b[2J\\x07<img')
      screen.input.end()
      expect(await screen.end()).toBe(0)
      const drawn = lines(screen.output).drawn.filter((line) => /(?:…|in all)$/.test(line))
      expect(drawn.length).toBeGreaterThan(0)
      for (const line of drawn) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
        const wide = line.match(/[\u3000-\u9fff]/g)?.length ?? 0
        expect(line.length + wide).toBeLessThan(columns)
      }
    },
  )
})

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
