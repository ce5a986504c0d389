import { type Migration, peerToPeer, type Turn } from '../../support/libvirt.ts'

export const UUID = '4c4c4544-0042-4810-8035-b1c04f445131'
export const MAC = '52:54:00:77:00:50'

export const MIGRATION: Migration = {
  domain: { name: 'vm1', uuid: UUID, memoryKiB: 65536, macs: [MAC] },
  source: { hostname: 'compute1', hostUuid: '11111111-1111-4111-8111-000000000011' },
  destination: { hostname: 'compute2', hostUuid: '22222222-2222-4222-8222-000000000012' },
  flags: 0x1b,
  params: [
    ['bandwidth', 100n],
    ['migrate_uri', 'tcp:10.77.0.12:33333'],
    ['compression', 'xbzrle'],
    ['compression', 'zstd'],
    ['parallel.connections', 4],
  ],
  uriOut: 'tcp:compute2:49152',
  sourceStatistics: { started: 1795175111267, stopped: 1795175111693, downtime: 39 },
  destinationStatistics: { started: 1795175111267, delta: -2, downtime: 43, memory_normal: 3952 },
}

export const CONVERSATION: readonly Turn[] = peerToPeer(MIGRATION)

const CHUNKS = [3, 64, 17].map((size, n) => Uint8Array.from({ length: size }, (_, i) => (16 * n + i) & 0xff))

export const TUNNELLED: readonly Turn[] = peerToPeer({ ...MIGRATION, flags: 0x1f, tunnel: CHUNKS })

export const TUNNEL_PAYLOAD: readonly number[] = CHUNKS.flatMap((chunk) => Array.from(chunk))
