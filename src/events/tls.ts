import type { ConnectionEvent } from './base.ts'

/** One TLS record with application data, or with what TLS 1.3 hides as such. Raised at its last byte, for the first
 *  TLS_RECORDS_MAX records of a direction. @see RFC 8446 section 5 */
export interface TlsRecord extends ConnectionEvent<'tls.record'> {
  /** Bytes behind the record header. */
  readonly size: number
}

export type TlsEvent = TlsRecord
