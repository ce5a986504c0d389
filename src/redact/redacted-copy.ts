import { APPLICATION } from '../capture/annotated-copy.ts'
import {
  type ByteSink,
  enhancedPacket,
  type InterfaceFields,
  interfaceDescription,
  interfaceStatistics,
  sectionHeader,
  simplePacket,
} from '../capture/pcapng-writer.ts'
import { type RawPacket, RawPackets, type RawSink, type RawStatistics } from '../capture/raw-packets.ts'
import { type Counts, Pseudonyms } from './pseudonyms.ts'
import { type Blanked, Redactor } from './redactor.ts'

export interface RedactOptions {
  /** Of any length; the same one gives the same replacements. */
  readonly key: Uint8Array
  /** Names that an earlier pass over the same capture has found: then they are replaced before they stand where names do, too. */
  readonly names?: ReadonlySet<string>
}

/** Each replacement that was made, once. */
export interface Replacement {
  readonly kind: 'ipv4' | 'ipv6' | 'mac' | 'uuid' | 'name'
  readonly from: string
  readonly to: string
}

/** What is written of a packet, given its bytes. */
type Write = (bytes: Uint8Array) => Uint8Array

/** Copies a capture of any format as pcapng without what it says of people, machines and guests. Give it the bytes of the file
 *  with `push`, in any cut, then call `end`. Numbers, times and lengths of packets stay; comments, names of interfaces and hosts,
 *  keys and all else that a file may hold besides are left out. Memory is bounded. */
export class RedactedCopy {
  packets = 0
  readonly #pseudonyms: Pseudonyms
  readonly #redactor: Redactor<Write>
  readonly #packets: RawPackets

  /** @param sink null: nothing is written, for the names alone */
  constructor({ key, names = new Set() }: RedactOptions, sink: ByteSink | null) {
    this.#pseudonyms = new Pseudonyms(key, names)
    const written = sink === null ? null : (write: Write, bytes: Uint8Array) => sink(write(bytes))
    this.#redactor = new Redactor<Write>(this.#pseudonyms, written)
    this.#packets = new RawPackets(this.#rawSink())
  }

  get names(): ReadonlySet<string> {
    return this.#pseudonyms.names
  }

  get counts(): Counts {
    return this.#pseudonyms.counts
  }

  get blanked(): Blanked {
    return this.#redactor.blanked
  }

  /** @throws InputError when the first bytes are those of no capture */
  push(bytes: Uint8Array): void {
    this.#packets.push(bytes)
  }

  /** @throws InputError when there were too few bytes to tell a capture */
  end(): void {
    this.#packets.end()
    this.#redactor.end()
  }

  *replacements(): Generator<Replacement> {
    for (const [kind, from, to] of this.#pseudonyms.addresses.replaced()) yield { kind, from, to }
    for (const [from, to] of this.#pseudonyms.uuids.replaced)
      if (from !== to) yield { kind: 'uuid', from: hyphenated(from), to: hyphenated(to) }
    for (const name of this.#pseudonyms.names)
      yield { kind: 'name', from: name, to: this.#pseudonyms.replace(name, 'name') }
  }

  #rawSink(): RawSink {
    const redactor = this.#redactor
    const section = sectionHeader({ application: APPLICATION, comment: null })
    return {
      section: () => redactor.pass(() => section),
      described: (fields: InterfaceFields) => {
        const block = interfaceDescription({ ...fields, name: null })
        redactor.pass(() => block)
      },
      statistics: (statistics: RawStatistics) => {
        const block = interfaceStatistics(statistics.interface, statistics.ticks, statistics.counters)
        redactor.pass(() => block)
      },
      packet: (raw: RawPacket) => {
        this.packets++
        redactor.packet(raw.packet, raw.start, raw.end, writeOf(raw))
      },
    }
  }
}

function writeOf({ interface: from, ticks, originalLength, flags, drops }: RawPacket): Write {
  if (ticks === null) return (data) => simplePacket(originalLength, data)
  return (data) =>
    enhancedPacket({ interface: from, ticks, originalLength, data, comments: [], flags, drops })
}

function hyphenated(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
