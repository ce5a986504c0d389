import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../../src/core/input-error.ts'
import { openSource } from '../../src/files/source.ts'
import { Unlz4 } from '../../src/files/unlz4.ts'
import { lz4, lz4Skippable } from '../support/lz4.ts'

/** Made of the text below with `lz4 -9 -B4D` of version 1.9: two blocks of 64 KiB at most, the second refers to the first. */
const SAMPLE = base64(
  'BCJNGERAXvQCAADzEjBwYWNrZXQgMCBvZiB0aGUgcXVpY2sgYnJvd24gZm94CiAAPzkxOSIADD84MzgiAAw/NzU3IgAMPzY3NiIADD81OTUiAA0vMTQiAAw/NDMzIgAMPzM1MiIADD8yNzEiAAwvMTlUAQ0vMTBUAQ0fMlMBDS85NFMBDS84NlMBDS83OFMBDS83MFMBDS82MlMBDS81NFMBDS80NlMBDS8zOFMBDS8yOVMBDh8xVAENLzEzVAENHzVTAQ0vOTdTAQ0vODlTAQ0vODFTAQ0vNzNTAQ0vNjVTAQ0vNTdTAQ0vNDhTAQ0vNDBTAQ0vMzJTAQ0vMjRUAQ0vMTZUAQ4PUwEND1EBDT85MjJjAA4PUQENPzc2MOUEDh855QQOHzjlBA4fN+UEDh825QQOHzXlBA4fNOUEDg9UAQ0vMTFUAQ0fM1MBDT85NTDlBA4fOeUEDg+eBg4fMJ4GDh8yngYOLzQ15QQOD6UCDh84ngYOHzCeBg4fMlQBBh8x8Qf/////////5B8y8Qf/////////5B8z8Qf/////////5B808Qf/////////5B818Qf/////////5B828Qf/////////5B838Qf/////////5B848Qf/////////5B858Qf/////////5B8xa0//////////5g9sT//////////lHzFtT//////////lHzFuT//////////lHzFvT//////////lHzFwT//////////lHzFxT//////////lHzFyT//////////lHzFzT//////////lHzF0T//////////lHzJ0T//////////lHzLgnv/////////mD3RP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfM3RP/////////+UfM3RP/////////+UfM3RP/7JQZiB0aGVTAQAAD/IH////////HA90T//////////lHzN0T//////////lHzN0T//////////lHzN0T//////////lHzN0T//////////lHzN0T//////////lHzN0T//////////lHzR0T//////////lHzR0T//////////lHzR0T//////////lHzR0T//////////lHzR0T//////////lHzR0T//////////lHzR0T//////////lHzR0T//////////lHzR0T//////////lHzR0T//////////lHzV0T//////////lHzV0T//////////lHzV0T//////////lHzV0T//////////lHzV0T//////////lHzV0T//////////lHzV0T//////////lHzV0T//////////lHzV0T//////////lHzV0T//////////gUCBmb3gKAAAAADTRnpM=',
)
/** The same with `lz4 -9 -l`, the frame of old versions. */
const LEGACY = base64(
  'AiFMGD0EAADzEjBwYWNrZXQgMCBvZiB0aGUgcXVpY2sgYnJvd24gZm94CiAAPzkxOSIADD84MzgiAAw/NzU3IgAMPzY3NiIADD81OTUiAA0vMTQiAAw/NDMzIgAMPzM1MiIADD8yNzEiAAwvMTlUAQ0vMTBUAQ0fMlMBDS85NFMBDS84NlMBDS83OFMBDS83MFMBDS82MlMBDS81NFMBDS80NlMBDS8zOFMBDS8yOVMBDh8xVAENLzEzVAENHzVTAQ0vOTdTAQ0vODlTAQ0vODFTAQ0vNzNTAQ0vNjVTAQ0vNTdTAQ0vNDhTAQ0vNDBTAQ0vMzJTAQ0vMjRUAQ0vMTZUAQ4PUwEND1EBDT85MjJjAA4PUQENPzc2MOUEDh855QQOHzjlBA4fN+UEDh825QQOHzXlBA4fNOUEDg9UAQ0vMTFUAQ0fM1MBDT85NTDlBA4fOeUEDg+eBg4fMJ4GDh8yngYOLzQ15QQOD6UCDh84ngYOHzCeBg4fMlQBBh8x8Qf/////////5B8y8Qf/////////5B8z8Qf/////////5B808Qf/////////5B818Qf/////////5B828Qf/////////5B838Qf/////////5B848Qf/////////5B858Qf/////////5B8xa0//////////5g9sT//////////lHzFtT//////////lHzFuT//////////lHzFvT//////////lHzFwT//////////lHzFxT//////////lHzFyT//////////lHzFzT//////////lHzF0T//////////lHzJ0T//////////lHzLgnv/////////mD3RP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfMnRP/////////+UfM3RP/////////+UfM3RP/////////+UfM1Xu/////////+YPdE//////////5R8zdE//////////5R8zdE//////////5R8zdE//////////5R8zdE//////////5R8zdE//////////5R8zdE//////////5R80dE//////////5R80dE//////////5R80dE//////////5R80dE//////////5R80dE//////////5R80dE//////////5R80dE//////////5R80dE//////////5R80dE//////////5R80dE//////////5R81dE//////////5R81dE//////////5R81dE//////////5R81dE//////////5R81dE//////////5R81dE//////////5R81dE//////////5R81dE//////////5R81dE//////////5R81dE//////////4FAgZm94Cg==',
)
const LINES = Array.from({ length: 60 }, (_, i) => `packet ${(i * 7919) % 1000} of the quick brown fox\n`)
const SAMPLE_TEXT = Array.from({ length: 60 }, (_, i) => `${i}${LINES.join('')}`).join('')

const KIB = 1024
const MIB = 1024 * KIB
const text = (content: string) => new TextEncoder().encode(content)
const stored = (content: string) => ({ stored: text(content) })
const compressed = (...bytes: number[]) => ({ compressed: Uint8Array.from(bytes) })
const joined = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts))

function base64(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'base64'))
}

/** Lends each piece: it is overwritten when the next is asked for. */
async function* lend(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    const lent = piece.slice()
    yield lent
    lent.fill(0xdd)
  }
}

async function decompress(...pieces: Uint8Array[]): Promise<{ text: string; damage: string | null }> {
  const unlz4 = new Unlz4(lend(pieces))
  const out: Uint8Array[] = []
  for await (const block of unlz4.blocks()) out.push(block.slice())
  return { text: Buffer.concat(out).toString('latin1'), damage: unlz4.damage }
}

const whole = (text: string) => ({ text, damage: null })
const cut = (text: string) => ({ text, damage: 'the lz4 data is cut short' })
const damaged = (text: string, reason: string) => ({ text, damage: `the lz4 data is damaged (${reason})` })

describe('what the tool wrote', () => {
  test('with blocks that refer to the one before', async () => {
    expect(await decompress(SAMPLE)).toEqual(whole(SAMPLE_TEXT))
  })

  test('as old versions did', async () => {
    expect(await decompress(LEGACY)).toEqual(whole(SAMPLE_TEXT))
  })

  test('one behind the other, skippable frames between', async () => {
    const file = joined(
      lz4Skippable(text('x'), 15),
      SAMPLE,
      LEGACY,
      LEGACY,
      lz4Skippable(text('')),
      lz4([]),
      SAMPLE,
    )
    expect(await decompress(file)).toEqual(whole(SAMPLE_TEXT.repeat(4)))
  })

  test('in any cut', async () => {
    for (let at = 1; at < SAMPLE.length; at++)
      expect(await decompress(SAMPLE.subarray(0, at), SAMPLE.subarray(at))).toEqual(whole(SAMPLE_TEXT))
    const singles = Array.from(joined(SAMPLE, LEGACY), (byte) => Uint8Array.of(byte))
    expect(await decompress(...singles)).toEqual(whole(SAMPLE_TEXT.repeat(2)))
  })

  test('and cut short is kept as far as it goes', async () => {
    for (let size = 1; size < SAMPLE.length; size++) {
      const { text, damage } = await decompress(SAMPLE.subarray(0, size))
      expect(SAMPLE_TEXT.startsWith(text), `${size} bytes`).toBe(true)
      expect(damage).toBe('the lz4 data is cut short')
    }
    // All but the word that ends the frame and the checksum.
    expect(await decompress(SAMPLE.subarray(0, -8))).toEqual(cut(SAMPLE_TEXT))
    const { text } = await decompress(SAMPLE.subarray(0, -100))
    expect(text.length).toBeGreaterThan(64 * KIB)
  })
})

describe('a block', () => {
  // abcd, then 10 bytes from 3 back, then e.
  const repeat = [0x46, 97, 98, 99, 100, 3, 0, 0x10, 101]

  test('that repeats itself', async () => {
    expect(await decompress(lz4([compressed(...repeat)]))).toEqual(whole('abcdbcdbcdbcdbe'))
  })

  test.each([
    [15 + 0, [0]],
    [15 + 254, [254]],
    [15 + 255, [255, 0]],
    [15 + 255 + 255 + 7, [255, 255, 7]],
  ])('with %i literals, and a match as long', async (length, more) => {
    const literals = Array.from({ length }, (_, i) => 65 + (i % 26))
    const block = compressed(0xff, ...more, ...literals, length & 255, length >> 8, ...more, 0)
    const once = String.fromCharCode(...literals)
    expect(await decompress(lz4([block]))).toEqual(whole(once + once + once.slice(0, 4)))
  })

  test('of literals alone', async () => {
    expect(await decompress(lz4([compressed(0x30, 97, 98, 99), compressed(0), stored('d')]))).toEqual(
      whole('abcd'),
    )
  })

  test('may refer to the 64 KiB before it, and no further', async () => {
    const before = `x${'y'.repeat(64 * KIB - 1)}`
    const far = (distance: number) => compressed(0x00, distance & 255, distance >> 8, 0)
    const linked = (distance: number) =>
      decompress(lz4([stored('z'), stored(before), far(distance)], undefined, { linked: true }))
    expect(await linked(65_535)).toEqual(whole(`z${before}yyyy`))
    expect(await linked(65_535 - 4)).toEqual(whole(`z${before}yyyy`))
    const alone = await decompress(lz4([stored(before), far(5)]))
    expect(alone).toEqual(damaged(before, 'a block makes no sense'))
  })

  test.each<[string, number[]]>([
    ['that ends inside its literals', [0x30, 97, 98]],
    ['that ends inside a length', [0x30, 97, 98, 99, 0xf0, 255]],
    ['that ends inside a distance', [0x20, 97, 98, 1]],
    ['that ends behind a match', [0x20, 97, 98, 1, 0]],
    ['with a distance of nothing', [0x20, 97, 98, 0, 0, 0]],
    ['that refers to what was before the beginning', [0x20, 97, 98, 3, 0, 0]],
    ['with more content than may be', [0x2f, 97, 98, 1, 0, ...Array(258).fill(255), 0, 0]],
  ])('%s is damage, and kept up to there', async (_what, bytes) => {
    const { text, damage } = await decompress(
      lz4([stored('before '), compressed(...bytes), stored('behind')]),
    )
    expect(text).toMatch(/^before ab?c?$|^before $/)
    expect(damage).toBe('the lz4 data is damaged (a block makes no sense)')
  })
})

describe('damage', () => {
  const good = lz4([stored('good')])

  test.each<[string, Uint8Array, string]>([
    ['no frame behind it', text('hello world'), 'no frame begins where one should'],
    ['zeroes behind it', new Uint8Array(16), 'no frame begins where one should'],
    ['another version', good.with(4, 0xa0), 'the header of a frame makes no sense'],
    ['a size of blocks that there is not', good.with(5, 0x30), 'the header of a frame makes no sense'],
    ['a header that differs from its checksum', good.with(6, 1), 'the header of a frame makes no sense'],
    ['a block too large', good.with(9, 0x02), 'a block is too large'],
  ])('of a frame: %s', async (_what, bytes, reason) => {
    expect(await decompress(good, bytes)).toEqual(damaged('good', reason))
  })

  test('of content shows by its checksum', async () => {
    const frame = lz4([stored('good'), stored('ness')], text('goodness'), { contentChecksum: true })
    expect(await decompress(frame)).toEqual(whole('goodness'))
    expect(await decompress(frame.with(11, 0x47))).toEqual(damaged('Goodness', 'its checksum is another one'))
  })

  test('of a block shows by its checksum, and the block is left out', async () => {
    const frame = lz4([stored('good'), stored('ness')], undefined, { blockChecksums: true })
    expect(await decompress(frame)).toEqual(whole('goodness'))
    expect(await decompress(frame.with(24, 0x47))).toEqual(
      damaged('good', 'the checksum of a block is another one'),
    )
  })

  test('a dictionary is refused', async () => {
    await expect(decompress(lz4([stored('x')], undefined, { dictionary: 7 }))).rejects.toThrow(InputError)
    await expect(decompress(lz4([stored('x')], undefined, { dictionary: 0 }))).rejects.toThrow('lz4 -d -D')
  })

  test('a byte of nothing but a long skippable frame is held', async () => {
    const start = lz4Skippable(new Uint8Array(0)).with(7, 0x7f)
    expect(await decompress(start, ...Array.from({ length: 64 }, () => new Uint8Array(64 * KIB)))).toEqual(
      cut(''),
    )
  })
})

test('whatever happens to its bytes, it ends, throws nothing and holds no more than a block', async () => {
  const corpus = [SAMPLE, LEGACY, joined(SAMPLE, LEGACY, SAMPLE)]
  let state = 1
  const random = (below: number): number => {
    state = Math.imul(state, 48_271) % 0x7fffffff
    return Math.abs(state) % below
  }
  for (let run = 0; run < 1000; run++) {
    const file = (corpus[run % corpus.length] as Uint8Array).slice()
    for (let changes = 1 + random(4); changes > 0; changes--) file[random(file.length)] = random(256)
    const unlz4 = new Unlz4(lend([file.subarray(0, random(file.length)), file]))
    try {
      for await (const block of unlz4.blocks()) expect(block.length).toBeLessThanOrEqual(8 * MIB)
    } catch (error) {
      // A dictionary, if only by chance.
      expect(error, `run ${run}`).toBeInstanceOf(InputError)
    }
  }
})

test('a bomb comes in pieces, in no more memory than one block takes', async () => {
  // Each block is one zero, and 65,535 times the same.
  const lengths = Array<number>(256).fill(255)
  const run = compressed(0x1f, 0, 1, 0, ...lengths, 65_535 - 19 - 256 * 255, 0)
  const frame = lz4(Array.from({ length: 2048 }, () => run))
  const unlz4 = new Unlz4(lend([frame]))
  let size = 0
  for await (const block of unlz4.blocks()) {
    expect(block.length).toBe(64 * KIB)
    size += block.length
  }
  expect([size, unlz4.damage]).toEqual([128 * MIB, null])
})

describe('a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mig-phases-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  async function read(bytes: Uint8Array): Promise<{ text: string; compression: string | null }> {
    const path = join(folder, 'trace.pcap')
    writeFileSync(path, bytes)
    const source = await openSource(path)
    let content = ''
    for await (const block of source.blocks) content += Buffer.from(block).toString('latin1')
    expect([source.taken(), source.damage()]).toEqual([bytes.length, null])
    return { text: content, compression: source.compression }
  }

  test.each([
    ['lz4', SAMPLE],
    ['lz4 of the old kind', LEGACY],
  ])('in %s is known by its first bytes', async (_name, bytes) => {
    expect(await read(bytes)).toEqual({ text: SAMPLE_TEXT, compression: 'lz4' })
  })

  const tool = (...args: string[]): Uint8Array | null => {
    try {
      return execFileSync('lz4', args, { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 * MIB })
    } catch {
      return null
    }
  }

  test
    .skipIf(tool('--version') === null)
    .each(['-1', '-9', '-B4', '-B4D', '-B7D', '-BX', '-l', '--no-frame-crc', '--content-size'])(
    'that lz4 %s made is the file it was (skipped where lz4 is not installed)',
    async (option) => {
      const path = join(folder, 'plain')
      // Some that compresses and some that does not, for more than one of the largest blocks.
      let state = 1
      const noise = Uint8Array.from({ length: 300_000 }, () => {
        state = Math.imul(state, 48_271) >>> 0
        return state >>> 24
      })
      const content = Buffer.concat(
        Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? noise : text(SAMPLE_TEXT))),
      )
      writeFileSync(path, content)
      const { text: back, compression } = await read(tool('-q', '-c', option, path) as Uint8Array)
      expect(compression).toBe('lz4')
      expect(back === content.toString('latin1')).toBe(true)
    },
  )
})
