import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { guest, migrate, ROUTE } from '../pipeline/synthetic.ts'
import { capture, pcap, Wire } from '../support/capture.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const FIT = 'fixtures/libvirt-9.0/abort.pcap.gz'
const UNFIT = 'fixtures/libvirt-9.0/rpc-only.pcap.gz'

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(FOLDER, name)
  writeFileSync(path, bytes)
  return path
}

describe('mig-phases doctor', () => {
  test('exits with 0 when every capture is fit', async () => {
    const { status, stdout, stderr } = await run(['doctor', FIT, 'fixtures/libvirt-9.0/idle.pcap.gz'])
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/abort\.pcap\.gz {2}fit {2}pcap, ETHERNET, /)
    expect(stdout).toContain('note: vantage: ')
    expect(stdout).toMatch(/2 captures: 2 fit, 0 not fit\n$/)
  })

  test('exits with 1 when one is not, and says why', async () => {
    const { status, stdout, stderr } = await run(['doctor', FIT, UNFIT])
    expect([status, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(/rpc-only\.pcap\.gz {2}not fit.*\n {2}problem: no-memory: /)
    expect(stdout).toMatch(/2 captures: 1 fit, 1 not fit\n$/)
  })

  test.each([
    ['what is no capture', 'LICENSE', 'is not a packet capture'],
    ['what does not exist', 'nothing.pcap', 'does not exist'],
    ['a pattern that fits nothing', 'fixtures/*.none', 'fits no file'],
  ])('exits with 1 for %s, and goes on', async (_name, word, reason) => {
    const { status, stdout, stderr } = await run(['doctor', word, FIT, '-f', 'json'])
    expect([status, stderr]).toEqual([1, ''])
    const { captures } = JSON.parse(stdout)
    expect(captures).toMatchObject([
      { file: word, fit: false, facts: null, findings: [{ id: 'unreadable' }] },
      { file: FIT, fit: true },
    ])
    expect(captures[0].findings[0].sentence).toContain(reason)
  })

  describe('captures of one run', () => {
    const SOURCE = 'fixtures/openstack-zed/idle.pcap.gz'
    const CONTROLLER = 'fixtures/openstack-zed/idle.controller.pcap.gz'

    test('are judged together too, and exit with 0 when they are fit so', async () => {
      const { status, stdout, stderr } = await run(['doctor', CONTROLLER, SOURCE])
      expect([status, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/idle\.controller\.pcap\.gz {2}not fit/)
      expect(stdout).toContain('\n2 captures of one run  fit together  1 migration\n')
      expect(stdout).toContain(`\n  → mig-phases --merge ${SOURCE} ${CONTROLLER}\n`)
      expect(stdout).toMatch(/\n\n2 captures: 2 fit \(1 with others of the run\), 0 not fit\n$/)
    })

    test('have a list of their own in json', async () => {
      const { status, stdout } = await run(['doctor', CONTROLLER, FIT, SOURCE, UNFIT, '-f', 'json'])
      expect(status).toBe(1)
      const { captures, runs } = JSON.parse(stdout)
      expect(captures.map(({ fit }: { fit: boolean }) => fit)).toEqual([false, true, true, false])
      expect(runs).toEqual([
        {
          fit: true,
          migrations: 1,
          points: [
            expect.objectContaining({ file: SOURCE, made_good: [], clock_offset_s: null }),
            {
              file: CONTROLLER,
              holds: ['authentication', 'nova-api', 'nova-messages'],
              clock_offset_s: expect.closeTo(0, 4),
              clock_offset_spread_s: expect.closeTo(0, 4),
              made_good: ['no-libvirt', 'no-memory', 'no-echo'],
              left: [],
            },
          ],
          findings: [expect.objectContaining({ id: 'vantage', severity: 'note' })],
        },
      ])
    })

    test('of different runs are not put together', async () => {
      const { stdout } = await run(['doctor', FIT, SOURCE, UNFIT])
      expect(stdout).not.toContain('of one run')
      expect(JSON.parse((await run(['doctor', FIT, UNFIT, '-f', 'json'])).stdout).runs).toEqual([])
    })
  })

  test('exits with 2 when it is not told what to read', async () => {
    for (const words of [['doctor'], ['doctor', FIT, '--format', 'csv'], ['doctor', FIT, '--jobs', '0']]) {
      const { status, stdout, stderr } = await run(words)
      expect([status, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^mig-phases: [\s\S]*--help\n$/)
    }
  })

  test('json is one document, in the order of the command line', async () => {
    const { stdout } = await run(['doctor', UNFIT, FIT, '--format', 'json'])
    const { captures } = JSON.parse(stdout)
    expect(captures).toMatchObject([
      {
        file: UNFIT,
        fit: false,
        findings: [
          { id: 'no-memory', severity: 'problem', sentence: expect.any(String), remedy: expect.any(String) },
          { id: 'no-echo', severity: 'note' },
        ],
        facts: { format: 'pcap', link_types: ['ETHERNET'], packets: 44, migrations: 1 },
      },
      { file: FIT, fit: true, findings: [] },
    ])
  })

  test('reads standard input, once', async () => {
    const stdin = gunzipSync(readFileSync(FIT))
    const { status, stdout } = await run(['doctor', '-'], { stdin })
    expect(status).toBe(0)
    expect(stdout).toMatch(/^standard input {2}fit/)
  })

  test('--output takes the findings', async () => {
    const path = join(FOLDER, 'findings.txt')
    const { status, stdout } = await run(['doctor', UNFIT, '-o', path])
    expect([status, stdout]).toEqual([1, ''])
    expect(readFileSync(path, 'utf8')).toContain('no-memory')
  })

  test('prints a hostile file name and guest without their control characters', async () => {
    const wire = migrate(new Wire(), ROUTE, guest('vm\u001b[2J'))
    const hostile = file('a\u001b]0;b.pcap', pcap(capture(wire.passed)))
    const { status, stdout } = await run(['doctor', hostile])
    expect(status).toBe(0)
    expect(stdout).toContain('a\\x1b]0;b.pcap')
    expect(stdout).toContain('vm\\x1b[2J')
    expect(stdout).not.toContain('\u001b')
  })

  test('--help names it', async () => {
    expect((await run(['--help'])).stdout).toContain('mig-phases doctor <captures..>')
    expect((await run(['doctor', '--help'])).stdout).toContain('Exit status: 0 every capture is fit')
  })
})
