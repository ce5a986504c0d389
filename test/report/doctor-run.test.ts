import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Analyzer } from '../../src/pipeline/analyzer.ts'
import { analyzeMerged } from '../../src/pipeline/merge/merger.ts'
import { compareViews, type PointView, viewOf } from '../../src/pipeline/merge/view.ts'
import { examine } from '../../src/report/doctor.ts'
import { contentsOf, examineRun, type RunExamination } from '../../src/report/doctor-run.ts'
import { renderRun, renderVerdict } from '../../src/report/doctor-text.ts'
import { migrate, ROUTE } from '../pipeline/synthetic.ts'
import { capture, type Passed, Pcapng, pcap, Wire } from '../support/capture.ts'
import { shifted } from '../support/shifted.ts'

const WHOLE = migrate(new Wire()).passed
const fixture = (name: string): Uint8Array => gunzipSync(readFileSync(`fixtures/${name}.pcap.gz`))

/** Captures by name, the first one that of the clock. */
async function together(files: Readonly<Record<string, Uint8Array>>): Promise<RunExamination> {
  const names = Object.keys(files)
  const open = (name: string) => async () => ({ compression: null, blocks: piecesOf(files[name]!) })
  const views: PointView[] = []
  for (const name of names) views.push(await viewOf(open(name)))
  const merged = await analyzeMerged(names.map((name) => ({ name, open: open(name), clockOffset: null })))
  const points = names.map((name, i) => {
    const analyzer = new Analyzer({ name })
    analyzer.push(files[name]!)
    const { captures, migrations, traffic, frames } = analyzer.end()
    return {
      examination: examine({ capture: captures[0]!, migrations, traffic, frames: frames[0]! }),
      holds: contentsOf({ migrations, traffic }),
      clock: i === 0 ? null : compareViews(views[0]!, views[i]!),
    }
  })
  return examineRun(points, merged)
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

const of = (passed: readonly Passed[]): Uint8Array => pcap(capture(passed))
const sentBy = (address: string) => WHOLE.filter(({ segment }) => segment?.from.address === address)
const idsOf = ({ findings }: RunExamination): string[] => findings.map(({ id }) => id)

describe('what points of one run are together', () => {
  it('the source and the controller of an OpenStack cloud', async () => {
    const run = await together({
      source: fixture('openstack-zed/idle'),
      controller: fixture('openstack-zed/idle.controller'),
    })
    expect(run).toMatchObject({
      fit: true,
      migrations: 1,
      points: [
        {
          file: 'source',
          holds: ['authentication', 'nova-api', 'nova-messages', 'libvirt', 'memory', 'pings'],
          clock_offset_s: null,
          made_good: [],
          left: [],
        },
        {
          file: 'controller',
          holds: ['authentication', 'nova-api', 'nova-messages'],
          made_good: ['no-libvirt', 'no-memory', 'no-echo'],
          left: [],
        },
      ],
    })
    expect(idsOf(run)).toEqual(['vantage'])
  })

  it('the source, and a client that manages the migration and pings', async () => {
    const run = await together({
      client: fixture('libvirt-9.0/managed.client'),
      source: fixture('libvirt-9.0/managed'),
    })
    expect(run.points.map(({ made_good }) => made_good)).toEqual([['no-memory'], ['no-libvirt', 'vantage']])
    expect([run.fit, idsOf(run)]).toEqual([true, []])
  })

  it('the two directions of a link', async () => {
    const { source, destination } = ROUTE.hosts
    const run = await together({ there: of(sentBy(source)), back: of(sentBy(destination)) })
    expect(run.points.every(({ made_good }) => made_good.includes('one-way'))).toBe(true)
    expect([run.fit, idsOf(run)]).toEqual([true, ['no-echo']])
  })

  it('are not fit where none of them has what is missing', async () => {
    const rpcOnly = WHOLE.filter(({ segment }) =>
      [segment?.from.port, segment?.to.port].includes(ROUTE.rpcPort),
    )
    const run = await together({ one: of(rpcOnly), other: of(rpcOnly) })
    expect([run.fit, idsOf(run)]).toEqual([false, ['no-memory', 'no-echo']])
    expect(run.points[0]?.made_good).toEqual([])
  })

  it('are not fit where a file is not whole, which no other one changes', async () => {
    const dropping = new Pcapng().interface()
    for (const packet of capture(WHOLE)) dropping.enhanced(packet)
    const run = await together({ one: of(WHOLE), other: dropping.statistics(0, { bySystem: 4n }).bytes() })
    expect(run.points.map(({ left }) => left)).toEqual([[], ['dropped']])
    expect(run.fit).toBe(false)
  })

  it('count cut packets of all files', async () => {
    const cut = pcap(capture(WHOLE, { snapLength: 128 }))
    const run = await together({ one: cut, other: cut })
    const one = await together({ one: cut })
    const cutPackets = (each: RunExamination) =>
      Number(each.findings.find(({ id }) => id === 'snap-length')?.sentence.split(' ')[0])
    expect(cutPackets(run)).toBe(2 * cutPackets(one))
  })
})

describe('the text', () => {
  it('has a line for each point, and the command', async () => {
    const rpc = WHOLE.filter(({ segment }) => [segment?.from.port, segment?.to.port].includes(ROUTE.rpcPort))
    const run = await together({ 'src.pcap': of(WHOLE), 'my other.pcap': of(rpc) })
    expect(renderRun(run).split('\n')).toEqual([
      '2 captures of one run  fit together  1 migration',
      '  1: src.pcap: libvirt, memory',
      '  2: my other.pcap: libvirt; clock as that of 1, within 0 µs; the others make good no-memory',
      expect.stringMatching(/^ {2}note: no-echo: /),
      ...new Array(3).fill(expect.any(String)),
      "  → mig-phases --merge src.pcap 'my other.pcap'",
      '',
    ])
  })

  it.each([
    [3.7, 'ahead of'],
    [-0.25, 'behind'],
  ])('says how far a clock is off: %d s', async (seconds, side) => {
    const run = await together({ one: of(WHOLE), other: shifted(of(WHOLE), seconds) })
    expect(renderRun(run)).toContain(`clock ${(1000 * Math.abs(seconds)).toFixed(1)} ms ${side} that of 1`)
    expect(run.points[1]?.clock_offset_s).toBeCloseTo(-seconds, 6)
  })

  it('says where clocks cannot be compared in full, or not at all', async () => {
    const { source } = ROUTE.hosts
    const oneWay = await together({ all: of(WHOLE), half: of(sentBy(source)) })
    expect(renderRun(oneWay)).toContain('that of 1, the way between them included')
    const other = new Wire()
    other.connection({ name: 'web', client: '10.0.0.1:5000', server: '10.0.0.2:443' }).open().close('client')
    const apart = renderRun(await together({ all: of(WHOLE), other: of(other.passed) }))
    expect(apart.replace(/\n +/g, ' ')).toContain(
      '2: other: nothing of the migration; no packet in common with 1, so that its clock is taken as it is',
    )
  })

  it('escapes names of files', async () => {
    const text = renderRun(await together({ "a\u001b[2J'b": of(WHOLE), c: of(WHOLE) }))
    expect(text).not.toContain('\u001b')
    expect(text).toContain("--merge 'a\\x1b[2J'\\''b' c")
  })

  it('counts those that are fit with others', () => {
    expect(renderVerdict(3, 1, 4)).toBe('4 captures: 3 fit (1 with others of the run), 1 not fit\n')
    expect(renderVerdict(3, 0, 4)).toBe('4 captures: 3 fit, 1 not fit\n')
  })
})
