import type { Evidence } from '../core/evidence.ts'
import type { Connection, Direction } from './connection.ts'

/** What every event of a TCP connection has. */
export interface ConnectionEvent<T extends string> {
  /** `producer.noun`: a fact of the wire, never a judgement. */
  readonly type: T
  readonly connection: Connection
  readonly direction: Direction
  /** The packet with the first byte of what is described. */
  readonly first: Evidence
  /** The packet with its last byte. */
  readonly last: Evidence
}
