import { ByteWriter } from './qemu-stream.ts'

const COMMAND = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  writeZeroes: 6,
  blockStatus: 7,
} as const

export interface NbdRequest {
  readonly offset?: number
  /** Of the disk; of a write, what follows has this size unless `payload` says otherwise. */
  readonly length?: number
  readonly cookie?: number
  readonly flags?: number
  /** Bytes that follow. */
  readonly payload?: Uint8Array
}

/** Writes what a client sends on one NBD connection. */
export class NbdClient {
  readonly #out = new ByteWriter()
  readonly #extended: boolean
  #cookie = 0

  constructor(options: { readonly extended?: boolean } = {}) {
    this.#extended = options.extended ?? false
  }

  get size(): number {
    return this.#out.length
  }

  bytes(): Uint8Array {
    return this.#out.bytes()
  }

  flags(value = 3): this {
    this.#out.u32(value)
    return this
  }

  option(option: number, data: Uint8Array = new Uint8Array(), length = data.length): this {
    this.#out.text('IHAVEOPT').u32(option).u32(length).raw(data)
    return this
  }

  exportName(name: string): this {
    return this.option(1, new TextEncoder().encode(name))
  }

  go(name: string, option = 7): this {
    const encoded = new TextEncoder().encode(name)
    const data = new ByteWriter().u32(encoded.length).raw(encoded).u16(1).u16(3)
    return this.option(option, data.bytes())
  }

  request(type: number | keyof typeof COMMAND, what: NbdRequest = {}): this {
    const { offset = 0, length = 0, cookie = ++this.#cookie, flags = 0, payload } = what
    const command = typeof type === 'number' ? type : COMMAND[type]
    this.#out.u32(this.#extended ? 0x21e41c71 : 0x25609513)
    this.#out
      .u16(flags | (this.#extended && command === COMMAND.write ? 0x20 : 0))
      .u16(command)
      .u64(cookie)
      .u64(offset)
    if (this.#extended) this.#out.u64(length)
    else this.#out.u32(length)
    if (payload !== undefined) this.#out.raw(payload)
    else if (command === COMMAND.write) this.#out.fill(0x5a, length)
    return this
  }

  raw(bytes: Uint8Array): this {
    this.#out.raw(bytes)
    return this
  }
}

/** Writes what a server sends. */
export class NbdServer {
  readonly #out = new ByteWriter()

  get size(): number {
    return this.#out.length
  }

  bytes(): Uint8Array {
    return this.#out.bytes()
  }

  greeting(flags = 3): this {
    this.#out.text('NBDMAGICIHAVEOPT').u16(flags)
    return this
  }

  /** Of a server that does not negotiate. */
  oldGreeting(sizeBytes: number): this {
    this.#out.text('NBDMAGIC').u32(0x00004202).u32(0x81861253).u64(sizeBytes).u32(1).fill(0, 124)
    return this
  }

  /** @param type 1 ACK, 3 INFO, 2^31 + n an error */
  optionReply(option: number, type: number, data: Uint8Array = new Uint8Array()): this {
    this.#out.u32(0x0003e889).u32(0x045565a9).u32(option).u32(type).u32(data.length).raw(data)
    return this
  }

  /** All that is answered to GO: sizes of blocks, the export, ACK. */
  export(sizeBytes: number, option = 7): this {
    this.optionReply(option, 3, new ByteWriter().u16(3).u32(1).u32(4096).u32(0x2000000).bytes())
    this.optionReply(option, 3, new ByteWriter().u16(0).u64(sizeBytes).u16(0x0ded).bytes())
    return this.optionReply(option, 1)
  }

  /** What is answered to EXPORT_NAME. */
  exportReply(sizeBytes: number, zeros = true): this {
    this.#out
      .u64(sizeBytes)
      .u16(0x002d)
      .fill(0, zeros ? 124 : 0)
    return this
  }

  reply(cookie: number, error = 0, data: Uint8Array = new Uint8Array()): this {
    this.#out.u32(0x67446698).u32(error).u64(cookie).raw(data)
    return this
  }

  chunk(cookie: number, type: number, data: Uint8Array = new Uint8Array(), done = true): this {
    this.#out
      .u32(0x668e33ef)
      .u16(done ? 1 : 0)
      .u16(type)
      .u64(cookie)
      .u32(data.length)
      .raw(data)
    return this
  }

  extendedChunk(cookie: number, type: number, data: Uint8Array = new Uint8Array()): this {
    this.#out.u32(0x6e8a278c).u16(1).u16(type).u64(cookie).u64(0).u64(data.length).raw(data)
    return this
  }

  raw(bytes: Uint8Array): this {
    this.#out.raw(bytes)
    return this
  }
}
