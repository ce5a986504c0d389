import { ByteWriter } from './qemu-stream.ts'

export interface MultifdPacket {
  readonly block?: string
  /** Offsets of pages with contents. */
  readonly normal?: readonly number[]
  /** Offsets of pages of zero (QEMU 9.0 and later). */
  readonly zero?: readonly number[]
  readonly sync?: boolean
  /** Contents as they are sent, compressed by the method of `flags`. */
  readonly contents?: Uint8Array
  /** More flags than SYNC. */
  readonly flags?: number
  /** What a packet without pages says of the size of contents that do not follow. */
  readonly staleSize?: number
  /** Zero in the SYNC packets of QEMU 10. */
  readonly allocated?: number
  /** Over all channels; that of the packet before in this one, and one, unless told. */
  readonly number?: number
}

/** Writes what the multifd decoder reads: one channel, packet by packet. */
export class MultifdStream {
  readonly #out = new ByteWriter()
  readonly #pageSize: number
  #number = 0

  constructor(options: { readonly pageSize?: number } = {}) {
    this.#pageSize = options.pageSize ?? 4096
  }

  get size(): number {
    return this.#out.length
  }

  bytes(): Uint8Array {
    return this.#out.bytes()
  }

  initial(channel: number, uuid = new Uint8Array(16).fill(0xab)): this {
    this.#out.u32(0x11223344).u32(1).raw(uuid).u8(channel).fill(0, 39)
    return this
  }

  packet(what: MultifdPacket): this {
    const { normal = [], zero = [], contents } = what
    const pageCount = (512 * 1024) / this.#pageSize
    const size = contents?.length ?? normal.length * this.#pageSize
    this.#out.u32(0x11223344).u32(1)
    this.#out.u32((what.sync === true ? 1 : 0) | (what.flags ?? 0)).u32(what.allocated ?? pageCount)
    this.#out.u32(normal.length).u32(normal.length === 0 ? (what.staleSize ?? 0) : size)
    this.#number = what.number ?? this.#number
    this.#out
      .u64(this.#number++)
      .u32(zero.length)
      .fill(0, 28)
    const block = what.block ?? 'pc.ram'
    this.#out.text(block).fill(0, 256 - block.length)
    for (const offset of [...normal, ...zero]) this.#out.u64(offset)
    this.#out.fill(0, 8 * (pageCount - normal.length - zero.length))
    if (contents !== undefined) this.#out.raw(contents)
    else this.#out.fill(0x5a, size)
    return this
  }

  deviceState(name: string, state: Uint8Array): this {
    this.#out.u32(0x11223344).u32(1).u32(0x40)
    this.#out
      .text(name)
      .fill(0, 256 - name.length)
      .u32(0)
      .u32(state.length)
      .raw(state)
    return this
  }
}
