import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { capture, type Damage, damage, type Passed, pcap, Wire } from '../support/capture.ts'
import { Tap } from './tap.ts'

/** Holds streams against those that another tool reassembles, where it is installed. */
function tshark(...args: readonly string[]): string | null {
  try {
    return execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return null
  }
}

const isInstalled = tshark('--version') !== null
const folder = mkdtempSync(join(tmpdir(), 'mig-phases-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Both directions, as hexadecimal digits. */
function followed(file: string): [string, string] | null {
  const text = tshark('-r', file, '-q', '-z', 'follow,tcp,raw,0')
  if (text === null) return null
  const lines = text.split('\n').filter((line) => /^\t?[0-9a-f]+$/.test(line))
  const of = (isAnswer: boolean): string =>
    lines
      .filter((line) => line.startsWith('\t') === isAnswer)
      .map((line) => line.trim())
      .join('')
  return [of(false), of(true)]
}

const hex = (text: string): string =>
  Array.from(text, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('')

function story(): readonly Passed[] {
  const wire = new Wire(20_000_000)
  const script = wire
    .connection({
      name: 'c',
      client: '10.0.0.1:50000',
      server: '10.0.0.2:16509',
      mss: 100,
      clientIsn: 0xffffff00,
    })
    .open()
  for (let i = 0; i < 6; i++) {
    script.send(
      'client',
      Uint8Array.from({ length: 450 }, (_, at) => 32 + ((at * (i + 3)) % 90)),
      '',
    )
    script.send(
      'server',
      Uint8Array.from({ length: 130 }, (_, at) => 32 + ((at * (i + 7)) % 90)),
      '',
    )
  }
  script.close('client')
  return wire.passed
}

describe.skipIf(!isInstalled)(
  'streams are those of tshark (which is not installed where this is skipped)',
  () => {
    const DAMAGES: readonly (readonly [Damage, number])[] = [
      ['duplicate', 5],
      ['retransmit', 9],
      ['overlap', 12],
      ['delay', 4],
    ]

    const RUNS = [[], ...DAMAGES.map((each) => [each]), DAMAGES].map((damages) => ({ damages }))

    test.each(RUNS)('after $damages', ({ damages }) => {
      let passed = story()
      for (const [kind, index] of damages) passed = damage(passed, kind, index)
      const packets = capture(passed)
      const file = join(folder, 'capture.pcap')
      writeFileSync(file, pcap(packets))
      const tap = new Tap().feed(packets).end()
      expect(tap.texts()[0]?.map(hex)).toEqual(followed(file))
    })

    test('retransmitted segments are as many', () => {
      const passed = damage(damage(story(), 'retransmit', 9), 'retransmit', 30)
      const packets = capture(passed)
      const file = join(folder, 'capture.pcap')
      writeFileSync(file, pcap(packets))
      const filter =
        'tcp.analysis.retransmission or tcp.analysis.fast_retransmission or tcp.analysis.spurious_retransmission'
      const sizes = tshark('-r', file, '-Y', filter, '-T', 'fields', '-e', 'tcp.len')
        ?.trim()
        .split('\n')
        .map(Number)
      const tap = new Tap().feed(packets).end()
      const { toServer, toClient } = tap.connections[0]!
      expect(toServer.retransmittedBytes + toClient.retransmittedBytes).toBe(
        sizes?.reduce((sum, size) => sum + size, 0),
      )
    })
  },
)
