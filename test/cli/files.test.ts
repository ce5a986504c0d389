import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../../src/core/input-error.ts'
import { analyzeFile } from '../../src/files/analyze.ts'
import { migrate, told } from '../pipeline/synthetic.ts'
import { capture, pcap, Wire } from '../support/capture.ts'
import { zstd } from '../support/zstd.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

function file(name: string, bytes: Uint8Array): string {
  const path = join(FOLDER, name)
  writeFileSync(path, bytes)
  return path
}

const MIB = 1024 * 1024
const CAPTURE = pcap(capture(migrate(new Wire()).passed))

/** Open files of this process below the test's folder; only Linux tells. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(FOLDER) ? [path] : []
    } catch {
      return []
    }
  })
}

describe.skipIf(process.platform !== 'linux')('a file is closed', () => {
  test.each<[string, Uint8Array]>([
    ['after it was read', CAPTURE],
    ['after it was decompressed', gzipSync(CAPTURE)],
    ['when it is no capture', new Uint8Array(3 * MIB).fill(0x41)],
    ['when it is empty', new Uint8Array(0)],
    [
      'when its compression is not read',
      new Uint8Array([0xfd, 0x37, 0x7a, 0x58, ...new Uint8Array(3 * MIB)]),
    ],
    ['after zstd was decompressed', zstd([CAPTURE])],
    ['when zstd is cut short', zstd([CAPTURE]).subarray(0, -20)],
    ['when zstd takes too much memory', zstd([CAPTURE], { windowSize: 2 ** 31 })],
    ['when zstd hides no capture', zstd([new Uint8Array(3 * MIB)])],
    ['when gzip hides no capture', gzipSync(new Uint8Array(3 * MIB))],
    ['when gzip is cut short', gzipSync(CAPTURE).subarray(0, -20)],
  ])('%s', async (name, bytes) => {
    const path = file(name, bytes)
    await analyzeFile(path).catch((error: unknown) => expect(error).toBeInstanceOf(InputError))
    await new Promise((resolve) => setImmediate(resolve))
    expect(openFiles()).toEqual([])
  })
})

test('progress goes up to the size of the file', async () => {
  const path = file('trace.pcap', CAPTURE)
  const seen: number[] = []
  const analysis = await analyzeFile(path, {
    onProgress: ({ taken, size, packets }) => {
      expect(size).toBe(CAPTURE.length)
      expect(packets).toBeGreaterThan(0)
      seen.push(taken)
    },
  })
  expect(seen.at(-1)).toBe(CAPTURE.length)
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  expect(told(analysis).capture.file).toBe(path)
})
