/** Writes what the QEMU decoders read: whole migration streams, part by part.
 *
 *  ```ts
 *  const stream = new QemuStream({ footers: true })
 *    .header()
 *    .configuration('pc-i440fx-7.2')
 *    .ramStart([{ name: 'pc.ram', size: 0x100000 }])
 *    .ram('part', (ram) => ram.page('pc.ram', 0).zero('pc.ram', 0x1000))
 *    .ram('end')
 *    .full('timer', 32)
 *    .eof()
 *    .bytes()
 *  ```
 *  The CONTINUE flag, section ids and footers are set as QEMU sets them. */

export interface RamBlock {
  readonly name: string
  readonly size: number
  /** Written when post-copy is enabled and the page size is not the host's. */
  readonly pageSize?: number
  /** Written with x-ignore-shared. */
  readonly address?: number
}

/** Grows as needed; big-endian. */
export class ByteWriter {
  #bytes = new Uint8Array(4096)
  length = 0

  u8(...values: readonly number[]): this {
    this.#grow(values.length)
    for (const value of values) this.#bytes[this.length++] = value
    return this
  }

  u16(value: number): this {
    return this.u8(value >>> 8, value & 0xff)
  }

  u32(value: number): this {
    return this.u8(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
  }

  u64(value: number): this {
    return this.u32(Math.floor(value / 2 ** 32)).u32(value >>> 0)
  }

  /** ASCII, without a length. */
  text(value: string): this {
    return this.raw(new TextEncoder().encode(value))
  }

  /** A length byte and ASCII. */
  name(value: string): this {
    return this.u8(value.length).text(value)
  }

  raw(value: Uint8Array): this {
    this.#grow(value.length)
    this.#bytes.set(value, this.length)
    this.length += value.length
    return this
  }

  fill(value: number, size: number): this {
    this.#grow(size)
    this.#bytes.fill(value, this.length, this.length + size)
    this.length += size
    return this
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.length)
  }

  #grow(size: number): void {
    if (this.length + size <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + size))
    larger.set(this.#bytes.subarray(0, this.length))
    this.#bytes = larger
  }
}

/** Contents of a page: a number fills it, bytes are written as they are. */
export type Contents = number | Uint8Array

/** Records of section "ram". One writer serves a whole stream, as CONTINUE reaches over sections. */
export class RamRecords {
  readonly #out: ByteWriter
  readonly #pageSize: number
  #block: string | null = null

  constructor(out: ByteWriter, pageSize = 4096) {
    this.#out = out
    this.#pageSize = pageSize
  }

  page(block: string, offset: number, contents: Contents = 0x5a): this {
    this.#head(block, offset, 0x08)
    if (typeof contents === 'number') this.#out.fill(contents, this.#pageSize)
    else this.#out.raw(contents)
    return this
  }

  zero(block: string, offset: number, fill = 0): this {
    this.#head(block, offset, 0x02)
    this.#out.u8(fill)
    return this
  }

  xbzrle(block: string, offset: number, encoded: Uint8Array): this {
    this.#head(block, offset, 0x40)
    this.#out.u8(0x01).u16(encoded.length).raw(encoded)
    return this
  }

  compressed(block: string, offset: number, data: Uint8Array): this {
    this.#head(block, offset, 0x100)
    this.#out.u32(data.length).raw(data)
    return this
  }

  multifdFlush(): this {
    this.#out.u64(0x200)
    return this
  }

  eos(): this {
    this.#out.u64(0x10)
    return this
  }

  #head(block: string, offset: number, flag: number): void {
    const same = block === this.#block
    this.#block = block
    this.#out.u64(offset + flag + (same ? 0x20 : 0))
    if (!same) this.#out.name(block)
  }
}

/** Records of the old section "block". */
export class BlockRecords {
  readonly #out: ByteWriter

  constructor(out: ByteWriter) {
    this.#out = out
  }

  /** 1 MiB of disk. */
  data(device: string, sector: number, fill = 0xdb): this {
    this.#out
      .u64(sector * 512 + 1)
      .name(device)
      .fill(fill, 1024 * 1024)
    return this
  }

  zero(device: string, sector: number): this {
    this.#out.u64(sector * 512 + 9).name(device)
    return this
  }

  progress(percent: number): this {
    this.#out.u64(percent * 512 + 4)
    return this
  }
}

export interface Configuration {
  readonly pageBits?: number
  readonly capabilities?: readonly string[]
  /** 16 bytes. */
  readonly uuid?: Uint8Array
  /** A subsection that no reader knows. */
  readonly unknown?: { readonly name: string; readonly fields: Uint8Array }
}

export interface QemuStreamOptions {
  /** Machine types since 2.4 end each section with its id. */
  readonly footers?: boolean
  readonly pageSize?: number
}

const TYPE = { start: 1, part: 2, end: 3, full: 4 } as const

/** Sections of one stream, in the order of the calls. */
export class QemuStream {
  readonly #out = new ByteWriter()
  readonly #records: RamRecords
  readonly #blockRecords: BlockRecords
  readonly #footers: boolean
  readonly #ids = new Map<string, number>()
  #deviceId = 100

  constructor(options: QemuStreamOptions = {}) {
    this.#footers = options.footers ?? true
    this.#records = new RamRecords(this.#out, options.pageSize)
    this.#blockRecords = new BlockRecords(this.#out)
  }

  /** Bytes so far: the offset of what comes next. */
  get size(): number {
    return this.#out.length
  }

  bytes(): Uint8Array {
    return this.#out.bytes()
  }

  /** Calls back, for parts that a loop writes. */
  with(write: (stream: this) => void): this {
    write(this)
    return this
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): this {
    this.#out.raw(bytes)
    return this
  }

  header(version = 3): this {
    this.#out.text('QEVM').u32(version)
    return this
  }

  configuration(machine: string, more: Configuration = {}): this {
    this.#out.u8(7).u32(machine.length).text(machine)
    if (more.pageBits !== undefined) this.#subsection('configuration/target-page-bits').u32(more.pageBits)
    if (more.capabilities !== undefined) {
      this.#subsection('configuration/capabilities').u32(more.capabilities.length)
      for (const name of more.capabilities) this.#out.name(name)
    }
    if (more.uuid !== undefined) this.#subsection('configuration/uuid').raw(more.uuid)
    if (more.unknown !== undefined) this.#subsection(more.unknown.name).raw(more.unknown.fields)
    return this
  }

  command(command: number, data: Uint8Array = new Uint8Array()): this {
    this.#out.u8(8).u16(command).u16(data.length).raw(data)
    return this
  }

  /** Command PACKAGED and the sections inside. */
  packaged(write: (inner: QemuStream) => void): this {
    const inner = new QemuStream({ footers: this.#footers })
    write(inner)
    this.#out.u8(8).u16(7).u16(4).u32(inner.size).raw(inner.bytes())
    return this
  }

  ramStart(blocks: readonly RamBlock[], id = 3): this {
    const total = blocks.reduce((sum, block) => sum + block.size, 0)
    this.start('ram', id, 4)
    this.#out.u64(total + 4)
    for (const block of blocks) {
      this.#out.name(block.name).u64(block.size)
      if (block.pageSize !== undefined) this.#out.u64(block.pageSize)
      if (block.address !== undefined) this.#out.u64(block.address)
    }
    this.#records.eos()
    return this.#footer(id)
  }

  ram(kind: 'part' | 'end', write: (records: RamRecords) => void = () => {}): this {
    return this.numbered(kind, 'ram', () => write(this.#records))
  }

  /** The START of section "block" holds nothing. */
  blockStart(id = 1): this {
    this.start('block', id, 1)
    this.#out.u64(2)
    return this.#footer(id)
  }

  block(kind: 'part' | 'end', write: (records: BlockRecords) => void = () => {}): this {
    return this.numbered(kind, 'block', () => write(this.#blockRecords))
  }

  /** START of an iterative section that has no known records. */
  opaqueStart(name: string, id: number, payload: Contents, size = 16): this {
    this.start(name, id, 1)
    this.#payload(payload, size)
    return this.#footer(id)
  }

  opaque(kind: 'part' | 'end', name: string, payload: Contents, size = 16): this {
    const id = this.#id(name)
    this.#out.u8(TYPE[kind]).u32(id)
    this.#payload(payload, size)
    return this.#footer(id)
  }

  /** State of one device. */
  full(name: string, payload: Contents, size = 64, id = this.#deviceId++): this {
    this.#out.u8(TYPE.full).u32(id).name(name).u32(0).u32(1)
    this.#payload(payload, size)
    return this.#footer(id)
  }

  eof(): this {
    this.#out.u8(0)
    return this
  }

  vmDescription(json = '{"configuration": {}, "page_size": 4096, "devices": []}'): this {
    this.#out.u8(6).u32(json.length).text(json)
    return this
  }

  /** Header of an iterative section: the caller writes the rest. */
  start(name: string, id: number, version: number): this {
    this.#ids.set(name, id)
    this.#out.u8(TYPE.start).u32(id).name(name).u32(0).u32(version)
    return this
  }

  /** PART or END with records that `write` writes; end mark and footer follow. */
  numbered(kind: 'part' | 'end', name: 'ram' | 'block', write: () => void): this {
    const id = this.#id(name)
    this.#out.u8(TYPE[kind]).u32(id)
    write()
    this.#out.u64(name === 'ram' ? 0x10 : 2)
    return this.#footer(id)
  }

  #id(name: string): number {
    const id = this.#ids.get(name)
    if (id === undefined) throw new Error(`section ${name} was not started`)
    return id
  }

  #payload(payload: Contents, size: number): void {
    if (typeof payload === 'number') this.#out.fill(payload, size)
    else this.#out.raw(payload)
  }

  #subsection(name: string): ByteWriter {
    return this.#out.u8(5).name(name).u32(1)
  }

  #footer(id: number): this {
    if (this.#footers) this.#out.u8(0x7e).u32(id)
    return this
  }
}

/** Messages of the return path, in the order of the calls. */
export class ReturnStream {
  readonly #out = new ByteWriter()

  bytes(): Uint8Array {
    return this.#out.bytes()
  }

  message(type: number, data: Uint8Array): this {
    this.#out.u16(type).u16(data.length).raw(data)
    return this
  }

  shut(value = 0): this {
    this.#out.u16(1).u16(4).u32(value)
    return this
  }

  pong(value: number): this {
    this.#out.u16(2).u16(4).u32(value)
    return this
  }

  /** With a block name, or of the block of the last request. */
  requestPages(offset: number, size: number, block?: string): this {
    this.#out.u16(block === undefined ? 4 : 3).u16(block === undefined ? 12 : 13 + block.length)
    this.#out.u64(offset).u32(size)
    if (block !== undefined) this.#out.name(block)
    return this
  }

  /** The name in a message, the bitmap behind it. */
  receivedBitmap(block: string, bitmap: Uint8Array): this {
    this.#out
      .u16(5)
      .u16(1 + block.length)
      .name(block)
    this.#out.u64(bitmap.length).raw(bitmap).u32(0x01234567).u32(0x89abcdef)
    return this
  }
}
