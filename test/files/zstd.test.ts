import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../../src/core/input-error.ts'
import { ZSTD_MOVED_MAX, ZSTD_PACKAGE_WINDOW_MAX } from '../../src/core/limits.ts'
import { openSource } from '../../src/files/source.ts'
import { Unzstd } from '../../src/files/unzstd.ts'
import { openZstd, packageFrames } from '../../src/files/zstd.ts'
import { zstd, zstdSkippable, zstdZeroes } from '../support/zstd.ts'

/** Made with `zstd -19` of version 1.5: Huffman codes, sequences, a checksum. */
const SAMPLE = Uint8Array.from(
  Buffer.from(
    'KLUv/QRoZQUAEgwfFYBNG8BoYPGeijCDAJHd3Zst7ebQdfa/jg8VE1OvW8zbypVtd7s23GeeHq5xZ6+WriH/fcippvj9cTVjbVrqb8+wObc194yt+8Vnise8K1byqvJi87uqzfbPu0O07NTVzeXjtgYipUgJpDRCQobjYRJhOKlQUiWHQIZgCTyoESBAfv87sJsDEYwQ/I8QbP0VWqUcIYKvZeGFnimKOO/6hJV0V1IzMYBUBWzrdmY=',
    'base64',
  ),
)
const SAMPLE_TEXT = Array.from(
  { length: 60 },
  (_, i) => `packet ${(i * 7919) % 1000} of the quick brown fox\n`,
).join('')

const KIB = 1024
const MIB = 1024 * KIB
const text = (content: string) => new TextEncoder().encode(content)
const join2 = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts))

type Open = (raw: AsyncIterable<Uint8Array>) => Promise<Unzstd>

/** What the machine at hand uses, and what those with an old Node use. */
const WAYS: [string, Open][] = [
  ['by itself', openZstd],
  ['with the package', async (raw) => new Unzstd(raw, await packageFrames(), ZSTD_PACKAGE_WINDOW_MAX)],
]

/** Lends each piece: it is overwritten when the next is asked for. */
async function* lend(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    const lent = piece.slice()
    yield lent
    lent.fill(0xdd)
  }
}

async function decompress(
  open: Open,
  ...pieces: Uint8Array[]
): Promise<{ text: string; damage: string | null }> {
  const unzstd = await open(lend(pieces))
  const out: Uint8Array[] = []
  for await (const block of unzstd.blocks()) out.push(block.slice())
  return { text: Buffer.concat(out).toString('latin1'), damage: unzstd.damage }
}

describe.each(WAYS)('zstd, read %s', (_name, open) => {
  const frames = join2(
    zstdSkippable(text('before'), 15),
    zstd([text('one, '), text(''), text('two, ')], { blockSize: 2 }),
    zstdSkippable(new Uint8Array(0)),
    SAMPLE,
    zstdSkippable(text('behind')),
  )
  const content = `one, two, ${SAMPLE_TEXT}`

  test('is what was compressed: blocks of every kind, frames one after another, skippable ones between', async () => {
    expect(await decompress(open, frames)).toEqual({ text: content, damage: null })
  })

  test('in any cut is the same', async () => {
    for (let at = 1; at < frames.length; at++) {
      const cut = await decompress(open, frames.subarray(0, at), frames.subarray(at))
      expect(cut, `cut at ${at}`).toEqual({ text: content, damage: null })
    }
    const singles = Array.from(frames, (byte) => Uint8Array.of(byte))
    expect(await decompress(open, ...singles)).toEqual({ text: content, damage: null })
  })

  test('that was cut short is kept as far as it is whole blocks, and said to be that', async () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz'.repeat(4)
    const file = zstd([text(letters.slice(0, 50)), text(letters.slice(50, 90))], { blockSize: 20 })
    // Where a block ends, and how much content there is by then: headers have 6 bytes, those of blocks 3.
    const blocks = [
      [29, 20],
      [52, 40],
      [65, 50],
      [94, 70],
      [117, 90],
    ] as const
    for (let size = 1; size < file.length; size++) {
      const [, kept] = blocks.findLast(([end]) => end <= size) ?? [0, 0]
      expect(await decompress(open, file.subarray(0, size)), `${size} bytes`).toEqual({
        text: letters.slice(0, kept),
        damage: size === 65 ? null : 'the zstd data is cut short',
      })
    }
  })

  test.each<[string, Uint8Array]>([
    ['no frame behind it', text('hello world')],
    ['a block of a kind that there is not', join2(zstd([]), zstd([text('xx')]).with(6, 0x17))],
    ['a block too large', zstd([text('xx')]).with(8, 0xff)],
    ['compressed nonsense', SAMPLE.slice().fill(0xff, 12, 60)],
  ])('with %s is kept up to there', async (_kind, damaged) => {
    const { text, damage } = await decompress(open, SAMPLE, damaged)
    expect(text.slice(0, SAMPLE_TEXT.length)).toBe(SAMPLE_TEXT)
    expect(damage).toMatch(/^the zstd data is damaged \(.+\)$/)
  })

  test('that takes too much memory is refused with a way out', async () => {
    const large = zstd([text('x')], { windowSize: 2 ** 30 })
    await expect(decompress(open, large)).rejects.toThrow(InputError)
    await expect(decompress(open, large)).rejects.toThrow(/1024 MiB of memory.*zstd -dc --long=31/)
  })

  test('with a dictionary is refused', async () => {
    await expect(decompress(open, zstd([text('x')], { dictionary: 7 }))).rejects.toThrow('dictionary')
    expect(await decompress(open, zstd([text('x')], { dictionary: 0 }))).toEqual({ text: 'x', damage: null })
  })

  test('that becomes ten thousand times as much comes in pieces', async () => {
    const unzstd = await open(lend([zstdZeroes(1024)]))
    let size = 0
    for await (const block of unzstd.blocks()) {
      expect(block.length).toBeLessThanOrEqual(128 * KIB)
      size += block.length
    }
    expect(size).toBe(128 * MIB)
  })
})

test('the package grants the window that every decoder must, and no more', async () => {
  const [, [, open] = ['', openZstd]] = WAYS
  const sized = (windowSize: number) => decompress(open, zstd([text('x')], { windowSize }))
  expect(await sized(ZSTD_PACKAGE_WINDOW_MAX)).toEqual({ text: 'x', damage: null })
  await expect(sized(ZSTD_PACKAGE_WINDOW_MAX * 2)).rejects.toThrow('16 MiB of memory')
})

test('blocks that take the package far more time than they are worth are damage', async () => {
  const [, [, open] = ['', openZstd]] = WAYS
  const runs = 2 * (ZSTD_MOVED_MAX / MIB)
  const tiny = await decompress(open, zstdZeroes(runs, 1))
  expect(tiny.damage).toContain('too small')
  expect(tiny.text.length).toBeLessThan(runs)
  expect(await decompress(open, zstdZeroes(runs, 512))).toEqual({
    text: '\0'.repeat(512 * runs),
    damage: null,
  })
})

describe('a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mig-phases-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('in zstd is known by its first bytes', async () => {
    const path = join(folder, 'trace.pcap')
    writeFileSync(path, SAMPLE)
    const source = await openSource(path)
    let content = ''
    for await (const block of source.blocks) content += Buffer.from(block).toString()
    expect(content).toBe(SAMPLE_TEXT)
    expect(source).toMatchObject({ compression: 'zstd', size: SAMPLE.length })
    expect([source.taken(), source.damage()]).toEqual([SAMPLE.length, null])
  })

  test.each([
    ['xz', [0xfd, 0x37, 0x7a, 0x58]],
    ['bzip2', [0x42, 0x5a, 0x68, 0x39]],
  ])('in %s is refused with a way out', async (name, magic) => {
    const path = join(folder, name)
    writeFileSync(path, Uint8Array.from([...magic, ...new Uint8Array(1000)]))
    await expect(openSource(path)).rejects.toThrow(`${name} -dc FILE | mig-phases -`)
  })
})
