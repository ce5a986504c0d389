import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
// As it is installed: threads start a compiled file.
import { analyzeBatch } from '../../dist/files/batch.js'
import { Share } from '../../src/files/share.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-batch-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const SMALL = gunzipSync(readFileSync('fixtures/libvirt-9.0/rpc-only.pcap.gz'))
const LARGE = 'fixtures/libvirt-9.0/idle.pcap.gz'

/** Captures, of which those named large take twenty times as long. */
function captures(sizes: readonly ('small' | 'large' | 'broken')[]): string[] {
  return sizes.map((size, index) => {
    const path = join(FOLDER, `${index}-${size}.pcap`)
    if (size === 'large') copyFileSync(LARGE, path)
    else writeFileSync(path, size === 'small' ? SMALL : 'no capture')
    return path
  })
}

async function outcomesOf(paths: readonly string[], jobs: number) {
  const outcomes = []
  for await (const outcome of analyzeBatch(paths, { jobs })) outcomes.push(outcome)
  return outcomes
}

describe.each([1, 2, 5])('with %i threads', (jobs) => {
  test('outcomes come in the order of the captures, whichever is done first', async () => {
    const paths = captures(['large', 'small', 'broken', 'small', 'large', 'small', 'small'])
    const outcomes = await outcomesOf(paths, jobs)
    expect(outcomes.map(({ path }) => path)).toEqual(paths)
    expect(outcomes.map(({ analysis }) => analysis?.migrations.length ?? null)).toEqual([
      1,
      1,
      null,
      1,
      1,
      1,
      1,
    ])
    expect(outcomes[2]?.error?.message).toContain('is not a packet capture')
  })

  test('analyses are the same as those of one thread', async () => {
    const paths = captures(['small', 'large', 'small'])
    expect(await outcomesOf(paths, jobs)).toEqual(await outcomesOf(paths, 1))
  })

  test('a large capture holds up more small ones than may be done before it', async () => {
    const paths = captures(['large'])
    const [small = ''] = captures(['small'])
    const many = [...paths, ...Array.from({ length: 600 }, () => small)]
    const outcomes = await outcomesOf(many, jobs)
    expect(outcomes.map(({ path }) => path)).toEqual(many)
  })

  test('whoever stops listening stops the batch', async () => {
    for await (const { path } of analyzeBatch(captures(Array.from({ length: 40 }, () => 'small')), {
      jobs,
    })) {
      expect(path).toContain('0-small')
      break
    }
  })
})

test('progress is told of captures that other threads read', async () => {
  const paths = captures(['large', 'large', 'large', 'large'])
  const told = new Set<string>()
  for await (const _ of analyzeBatch(paths, { jobs: 2, onProgress: (path) => told.add(path) }));
  expect(told.size).toBeGreaterThan(1)
})

describe('a share', () => {
  test('gives each place once, to whichever thread asks', () => {
    const share = new Share(3)
    const same = new Share(3, share.cells)
    expect([share.take(), same.take(), share.take(), same.take(), share.take()]).toEqual([
      0,
      1,
      2,
      null,
      null,
    ])
  })

  test('gives no more than 256 places ahead of what was handed on', async () => {
    const share = new Share(1000)
    for (let place = 0; place < 256; place++) expect(share.take()).toBe(place)
    let next: number | null | undefined
    const asked = share.taken().then((place) => {
      next = place
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(next).toBeUndefined()
    share.handOn()
    await asked
    expect(next).toBe(256)
  })

  test('that was stopped gives nothing, also to those who wait', async () => {
    const share = new Share(1000)
    for (let place = 0; place < 256; place++) share.take()
    const asked = share.taken()
    share.stop()
    expect(await asked).toBeNull()
    expect(share.take()).toBeNull()
  })
})
