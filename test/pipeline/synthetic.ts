import { type Analysis, Analyzer } from '../../src/pipeline/analyzer.ts'
import { assembleReport } from '../../src/report/assemble.ts'
import type { CaptureReport, MigrationReport, Report } from '../../src/report/model.ts'
import {
  type CaptureOptions,
  capture,
  type Passed,
  pcap,
  type TcpScript,
  type Wire,
} from '../support/capture.ts'
import { type Migration, peerToPeer, type Turn } from '../support/libvirt.ts'
import { QemuStream } from '../support/qemu-stream.ts'

export const UUID = '4c4c4544-0042-4810-8035-b1c04f445131'

/** Pages in the stream that `memoryStream` writes. */
export const PAGES = { normal: 24, zero: 40 } as const

export function memoryStream(fill = 0x5a): Uint8Array {
  return new QemuStream({ footers: true })
    .header()
    .configuration('pc-i440fx-7.2')
    .ramStart([{ name: 'pc.ram', size: 64 * 4096 }])
    .ram('part', (ram) => {
      for (let page = 0; page < PAGES.normal; page++) ram.page('pc.ram', page * 4096, fill)
      for (let page = 0; page < PAGES.zero; page++) ram.zero('pc.ram', (PAGES.normal + page) * 4096)
    })
    .ram('end')
    .full('timer', 0x11, 320)
    .eof()
    .vmDescription()
    .bytes()
}

export function guest(name = 'vm1', port = 33333): Migration {
  return {
    domain: { name, uuid: UUID, memoryKiB: 256, macs: ['52:54:00:77:00:50'] },
    source: { hostname: 'compute1', hostUuid: '11111111-1111-4111-8111-000000000011' },
    destination: { hostname: 'compute2', hostUuid: '22222222-2222-4222-8222-000000000012' },
    flags: 0x1b,
    uriOut: `tcp:compute2:${port}`,
  }
}

export interface Hosts {
  readonly source: string
  readonly destination: string
}

export const IPV4: Hosts = { source: '10.77.0.11', destination: '10.77.0.12' }
export const IPV6: Hosts = { source: '[fd00:77::11]', destination: '[fd00:77::12]' }

export interface Route {
  readonly hosts: Hosts
  readonly rpcPort: number
  readonly memoryPort: number
  readonly mss: number
  readonly clientIsn: number
}

export const ROUTE: Route = {
  hosts: IPV4,
  rpcPort: 12345,
  memoryPort: 33333,
  mss: 1448,
  clientIsn: 1_000_000,
}

/** A peer-to-peer migration from SYN to FIN; each packet has the name of its message. */
export function migrate(
  wire: Wire,
  route: Route = ROUTE,
  migration: Migration = guest(),
  stream: Uint8Array = memoryStream(),
): Wire {
  const rpc = dial(wire, 'rpc', route, route.rpcPort, 50_000).open()
  const turns = peerToPeer(migration)
  const prepared = turns.findIndex((turn) => turn.what === 'prepare reply')
  converse(rpc, turns.slice(0, prepared + 1))
  dial(wire, 'memory', route, route.memoryPort, 50_001)
    .open()
    .send('client', stream, 'stream')
    .close('client')
  converse(rpc, turns.slice(prepared + 1))
  rpc.close('server')
  return wire
}

export function dial(wire: Wire, name: string, route: Route, port: number, from: number): TcpScript {
  const { hosts, mss, clientIsn } = route
  const client = `${hosts.source}:${from}`
  return wire.connection({ name, client, server: `${hosts.destination}:${port}`, mss, clientIsn })
}

export function converse(rpc: TcpScript, turns: readonly Turn[]): void {
  for (const { direction, bytes, what } of turns)
    rpc.send(direction === 'to-server' ? 'client' : 'server', bytes, what)
}

/** All that one capture tells. */
export interface Told {
  readonly report: Report
  readonly capture: CaptureReport
  readonly migrations: readonly MigrationReport[]
  readonly traffic: Analysis['traffic']
}

export function told(analysis: Analysis): Told {
  const report = assembleReport([analysis])
  const { captures, migrations } = report
  return { report, capture: captures[0]!, migrations, traffic: analysis.traffic }
}

export function analyse(passed: readonly Passed[], options: CaptureOptions = {}): Told {
  const linkType = options.link?.linkType ?? 1
  return analyseBytes([pcap(capture(passed, options), { linkType })])
}

export function analyseBytes(pieces: readonly Uint8Array[]): Told {
  const analyzer = new Analyzer({ name: 'capture' })
  for (const piece of pieces) analyzer.push(piece)
  return told(analyzer.end())
}

/** Phase, name of the message at its start, name of the message at its end. */
export type Boundaries = [phase: string, start: string | null, end: string | null][]

export function boundaries({ phases }: MigrationReport, passed: readonly Passed[]): Boundaries {
  const name = (packet: number | null): string | null =>
    packet === null ? null : (passed[packet - 1]?.note ?? 'no such packet')
  return phases.map(({ id, start, end }) => [id, name(start.packet), name(end.packet)])
}

export const WHOLE: Boundaries = [
  ['remote_connect', 'rpc syn', 'open reply'],
  ['prepare', 'open reply', 'prepare reply'],
  ['transfer', 'memory syn', 'memory fin'],
  ['finish', 'finish call', 'finish reply'],
  ['cleanup', 'finish reply', 'rpc fin'],
]
