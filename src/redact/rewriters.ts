import { u32be } from '../core/bytes.ts'
import type { ElementKind } from '../core/witness.ts'
import { METHOD } from '../protocols/amqp/methods.ts'
import { DEVICE_STATE, INITIAL, PAGES } from '../protocols/multifd/format.ts'
import { GO, OPTION, OPTION_TYPE } from '../protocols/nbd/format.ts'
import { replaceInHeader, replaceInStartLine } from './http.ts'
import { looksLikeJson, replaceInJson } from './json.ts'
import { latin1, writeLatin1 } from './latin1.ts'
import { bodySizeOf, keptTail, replaceInBody } from './libvirt.ts'
import type { Rewriter } from './placed.ts'
import type { Pseudonyms } from './pseudonyms.ts'

const LF = 0x0a
const CLOSING_BRACE = 0x7d
const NO_MARK = 0x2e
const NOTHING = new Uint8Array(0)
/** Of a TLS record: what its first byte says, and the first byte of its content, where that is the client's hello. */
const HANDSHAKE = 22
const CLIENT_HELLO = 1

/** What stays of one direction of a connection, whatever protocol it speaks. */
export class StreamRewriter implements Rewriter {
  readonly #pseudonyms: Pseudonyms
  /** Of the libvirt message at hand. */
  #header: Uint8Array = NOTHING
  /** The stream was seen from its start, and nothing of it yet. */
  #isStart: boolean

  /** @param fromStart the client's first byte is the first that will be read */
  constructor(pseudonyms: Pseudonyms, fromStart: boolean) {
    this.#pseudonyms = pseudonyms
    this.#isStart = fromStart
  }

  element(kind: ElementKind, bytes: Uint8Array, start: number, end: number): Uint8Array {
    const out = this.#rewrite(kind, bytes.slice(start, end), bytes, start)
    this.#isStart = false
    return out
  }

  text(bytes: Uint8Array, kept: number): Uint8Array {
    const text = latin1(bytes, 0, kept)
    const out = new Uint8Array(kept)
    if (looksLikeJson(text)) writeLatin1(out, 0, replaceInJson(text, this.#pseudonyms))
    return out
  }

  /** @param copy of the element, which may be changed and given back */
  #rewrite(kind: ElementKind, copy: Uint8Array, bytes: Uint8Array, start: number): Uint8Array {
    switch (kind) {
      case 'plain':
        return copy
      case 'qemu.uuid':
        this.#pseudonyms.uuids.replaceAt(copy, copy.length - 16)
        return copy
      case 'qemu.block':
        this.#prose(copy, 9, copy.length)
        return copy
      case 'qemu.blob-end':
        return blobEnd(copy)
      case 'multifd.initial':
        this.#pseudonyms.uuids.replaceAt(copy, INITIAL.uuid)
        return copy
      case 'multifd.head':
        return start === 0
          ? withoutRest(copy, 12, DEVICE_STATE.nextSize - 4)
          : withoutRest(copy, PAGES.block - start, PAGES.size - start)
      case 'nbd.head':
        return this.#nbd(copy)
      case 'tls.record':
        return this.#tls(copy)
      case 'libvirt.header':
        this.#header = copy
        return copy
      case 'libvirt.body':
        return replaceInBody(this.#header, bytes, copy.length, bodySizeOf(this.#header), this.#pseudonyms)
      case 'libvirt.tail':
        return keptTail(this.#header, copy)
      case 'http.start':
        return this.#line(copy, (line) => replaceInStartLine(line, this.#pseudonyms))
      case 'http.header':
        return this.#line(copy, (line) => replaceInHeader(line, this.#pseudonyms))
      case 'http.chunk-size':
        return this.#line(copy, (line) => line.replace(/^([0-9A-Fa-f]*)([^\r]*)/, chunkSize))
      case 'amqp.method':
        return this.#method(copy)
      case 'amqp.content-header':
        return copy.subarray(0, CONTENT_HEADER_SIZE)
    }
  }

  #prose(bytes: Uint8Array, start: number, end: number): void {
    if (end > start) writeLatin1(bytes, start, this.#pseudonyms.replace(latin1(bytes, start, end), 'prose'))
  }

  /** Options name the disk. */
  #nbd(head: Uint8Array): Uint8Array {
    const isOption = head.length > OPTION.size && u32be(head, 0) === OPTION.high
    if (!isOption) return head
    const option = u32be(head, OPTION.option)
    if (option === OPTION_TYPE.exportName) this.#prose(head, OPTION.size, head.length)
    else if (option === OPTION_TYPE.go) this.#prose(head, GO.name, head.length)
    return head
  }

  #tls(header: Uint8Array): Uint8Array {
    if (!this.#isStart || header[0] !== HANDSHAKE) return header
    return Uint8Array.of(...header, CLIENT_HELLO)
  }

  /** With the end of the line. */
  #line(bytes: Uint8Array, replace: (line: string) => string): Uint8Array {
    const out = new Uint8Array(bytes.length + 1)
    writeLatin1(out, 0, replace(latin1(bytes, 0, bytes.length)))
    out[bytes.length] = LF
    return out
  }

  /** Class and method, and the arguments of the methods that are read. */
  #method(bytes: Uint8Array): Uint8Array {
    const out = new Uint8Array(bytes.length)
    const fields = ARGUMENTS.get(u32be(bytes, 0)) ?? []
    let at = 4
    out.set(bytes.subarray(0, at))
    for (const field of fields) {
      const size = field === 'text' ? 1 + (bytes[at] ?? 0) : field
      if (at + size > bytes.length) break
      out.set(bytes.subarray(at, at + size), at)
      if (field === 'text') this.#prose(out, at + 1, at + size)
      at += size
    }
    return out
  }
}

/** Class, weight and size; not the properties. */
const CONTENT_HEADER_SIZE = 12

/** Arguments by method: bytes of numbers and flags, or a short text. @see rabbitmq-codegen amqp-rabbitmq-0.9.1.json */
const ARGUMENTS: ReadonlyMap<number, readonly (number | 'text')[]> = new Map<
  number,
  readonly (number | 'text')[]
>([
  [METHOD.publish, [2, 'text', 'text', 1]],
  [METHOD.deliver, ['text', 8, 1, 'text', 'text']],
  [METHOD.getOk, [8, 1, 'text', 'text', 4]],
  [METHOD.return, [2, 'text', 'text', 'text']],
  [METHOD.ack, [8, 1]],
  [METHOD.nack, [8, 1]],
  [METHOD.reject, [8, 1]],
  [METHOD.connectionClose, [2, 'text', 2, 2]],
  [METHOD.channelClose, [2, 'text', 2, 2]],
])

/** Device state without marks between its parts: whether its last byte may be the end is all that is read of it. */
function blobEnd(copy: Uint8Array): Uint8Array {
  const [last] = copy
  return last === 0 || last === CLOSING_BRACE ? copy : Uint8Array.of(NO_MARK)
}

/** A name ends with its first zero; what follows up to `end` is whatever was in memory. */
function withoutRest(copy: Uint8Array, start: number, end: number): Uint8Array {
  const stop = Math.min(end, copy.length)
  const nul = copy.indexOf(0, start)
  if (nul >= 0 && nul < stop) copy.fill(0, nul, stop)
  return copy
}

/** Extensions of chunks become spaces. */
function chunkSize(_: string, size: string, extension: string): string {
  return size + ' '.repeat(extension.length)
}
