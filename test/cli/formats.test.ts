import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { capture, pcap, Wire } from '../support/capture.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const CAPTURE = 'fixtures/libvirt-9.0/rpc-only.pcap.gz'
const OTHER = 'fixtures/libvirt-9.0/idle.pcap.gz'
const NO_MIGRATION = join(FOLDER, 'other.pcap')
const wire = new Wire()
wire.connection({ name: 'c', client: '10.0.0.1:5000', server: '10.0.0.2:80' }).open()
writeFileSync(NO_MIGRATION, pcap(capture(wire.passed)))

describe.each(['perfetto', 'otlp'])('--format %s', (format) => {
  test('is one JSON document of all migrations, the same for the same input', async () => {
    const first = await run([CAPTURE, OTHER, '--format', format])
    expect([first.status, first.stderr]).toEqual([0, ''])
    const document = JSON.parse(first.stdout)
    const count =
      format === 'otlp'
        ? document.resourceSpans.length
        : document.traceEvents.filter((event: { name: string }) => event.name === 'process_name').length
    expect(count).toBe(2)
    expect(await run([CAPTURE, OTHER, '--format', format])).toEqual(first)
  })

  test('goes to a file', async () => {
    const path = join(FOLDER, `${format}.json`)
    const { status, stdout } = await run([CAPTURE, '-f', format, '-o', path])
    expect([status, stdout]).toEqual([0, ''])
    expect(JSON.parse(readFileSync(path, 'utf8'))).toBeTypeOf('object')
  })

  test('without a migration nothing is written', async () => {
    expect(await run([NO_MIGRATION, '-f', format])).toMatchObject({ status: 4, stdout: '' })
  })
})

test('otlp is one line, so that files of requests can be put together', async () => {
  const { stdout } = await run([CAPTURE, OTHER, '-f', 'otlp'])
  expect(stdout.trimEnd().split('\n')).toHaveLength(1)
})

describe('explain', () => {
  test('explains every boundary, or one phase', async () => {
    const all = await run(['explain', CAPTURE])
    expect([all.status, all.stderr]).toEqual([0, ''])
    expect(all.stdout).toContain('Remote connect (remote_connect)')
    expect(all.stdout).toContain('Downtime')
    const one = await run(['explain', CAPTURE, 'finish'])
    expect(one.stdout).toContain('Finish (finish)')
    expect(one.stdout).not.toContain('Remote connect')
  })

  test('reads standard input, and writes to a file', async () => {
    const path = join(FOLDER, 'explained.txt')
    const { status, stdout } = await run(['explain', '-', 'prepare', '-o', path], {
      stdin: readFileSync(CAPTURE),
    })
    expect([status, stdout]).toEqual([0, ''])
    expect(readFileSync(path, 'utf8')).toBe((await run(['explain', CAPTURE, 'prepare'])).stdout)
  })

  test('exits with 4 where there is no migration, and says what there is', async () => {
    const { status, stdout, stderr } = await run(['explain', NO_MIGRATION])
    expect([status, stdout]).toEqual([4, ''])
    expect(stderr).toContain(NO_MIGRATION)
  })

  test('exits with 1 where the capture cannot be read', async () => {
    const { status, stderr } = await run(['explain', join(FOLDER, 'missing.pcap')])
    expect(status).toBe(1)
    expect(stderr).toContain('missing.pcap')
  })

  test.each([
    ['without a capture', ['explain']],
    ['with a phase that there is not', ['explain', CAPTURE, 'lunch']],
    ['with an empty file name', ['explain', CAPTURE, '-o', '']],
  ])('exits with 2 %s', async (_, words) => {
    expect((await run(words)).status).toBe(2)
  })
})
