import type { CookieFacts, CookieStatistics } from '../../events/libvirt.ts'
import { integer, uuid } from './values.ts'
import { attribute, scanXml } from './xml.ts'

const ROOT = '/qemu-migration'
const STATISTICS = `${ROOT}/statistics`

/** What a `<qemu-migration>` cookie says, as far as it was captured; null when it is not one. Its persistent
 *  part may hold a whole `<domain>`, whose elements are not the cookie's own.
 *  @see libvirt src/qemu/qemu_migration_cookie.c */
export function readCookie(xml: string): CookieFacts | null {
  let isCookie = false
  let nbdPort: number | null = null
  let counters: Map<string, number> | null = null
  const own = new Map<string, string>()
  scanXml(xml, {
    open(path, tag) {
      if (path === ROOT) isCookie = true
      else if (path === STATISTICS) counters ??= new Map()
      else if (path === `${ROOT}/nbd`) nbdPort ??= port(attribute(tag, 'port'))
    },
    close(path, value) {
      if (OWN.has(path)) {
        if (!own.has(path)) own.set(path, value)
      } else if (counters !== null && path.startsWith(`${STATISTICS}/`)) {
        const counter = path.slice(STATISTICS.length + 1)
        const number = integer(value)
        if (number !== null && COUNTERS.has(counter) && !counters.has(counter)) counters.set(counter, number)
      }
    },
  })
  if (!isCookie) return null
  return {
    name: own.get(`${ROOT}/name`) ?? null,
    uuid: uuid(own.get(`${ROOT}/uuid`) ?? ''),
    hostname: own.get(`${ROOT}/hostname`) ?? null,
    hostUuid: uuid(own.get(`${ROOT}/hostuuid`) ?? ''),
    nbdPort,
    statistics: counters === null ? null : statistics(counters),
  }
}

const OWN = new Set(['name', 'uuid', 'hostname', 'hostuuid'].map((name) => `${ROOT}/${name}`))

/** Element names of the statistics, keyed by the field that holds them. */
const COUNTER = {
  started: 'started',
  stopped: 'stopped',
  sent: 'sent',
  delta: 'delta',
  timeElapsed: 'time_elapsed',
  downtime: 'downtime',
  setupTime: 'setup_time',
  memoryTotal: 'memory_total',
  memoryProcessed: 'memory_processed',
  memoryRemaining: 'memory_remaining',
  memoryBps: 'memory_bps',
  memoryConstant: 'memory_constant',
  memoryNormal: 'memory_normal',
  memoryNormalBytes: 'memory_normal_bytes',
  memoryDirtyRate: 'memory_dirty_rate',
  memoryIteration: 'memory_iteration',
  memoryPostcopyRequests: 'memory_postcopy_requests',
  memoryPageSize: 'memory_page_size',
  diskTotal: 'disk_total',
  diskProcessed: 'disk_processed',
  autoConvergeThrottle: 'auto_converge_throttle',
} as const satisfies Record<keyof CookieStatistics, string>

const COUNTERS: ReadonlySet<string> = new Set(Object.values(COUNTER))

function statistics(counters: ReadonlyMap<string, number>): CookieStatistics {
  const of = (field: keyof CookieStatistics): number | null => counters.get(COUNTER[field]) ?? null
  return {
    started: of('started'),
    stopped: of('stopped'),
    sent: of('sent'),
    delta: of('delta'),
    timeElapsed: of('timeElapsed'),
    downtime: of('downtime'),
    setupTime: of('setupTime'),
    memoryTotal: of('memoryTotal'),
    memoryProcessed: of('memoryProcessed'),
    memoryRemaining: of('memoryRemaining'),
    memoryBps: of('memoryBps'),
    memoryConstant: of('memoryConstant'),
    memoryNormal: of('memoryNormal'),
    memoryNormalBytes: of('memoryNormalBytes'),
    memoryDirtyRate: of('memoryDirtyRate'),
    memoryIteration: of('memoryIteration'),
    memoryPostcopyRequests: of('memoryPostcopyRequests'),
    memoryPageSize: of('memoryPageSize'),
    diskTotal: of('diskTotal'),
    diskProcessed: of('diskProcessed'),
    autoConvergeThrottle: of('autoConvergeThrottle'),
  }
}

function port(text: string | null): number | null {
  const value = text === null ? null : integer(text)
  return value !== null && value >= 1 && value <= 65535 ? value : null
}
