import { u32be } from '../core/bytes.ts'
import { FIELD, HEADER_SIZE } from '../protocols/libvirt/header.ts'
import { MESSAGE_TYPE, PROCEDURE, STATUS } from '../protocols/libvirt/procedures.ts'
import { XdrCursor } from '../protocols/libvirt/xdr.ts'
import { latin1, writeLatin1 } from './latin1.ts'
import type { Policy, Pseudonyms } from './pseudonyms.ts'
import { replaceInXml } from './xml.ts'

/** A field of a message's body; with a question mark, one that may be left out. */
type Field =
  | 'int'
  | 'long'
  | 'uuid'
  | 'cookie'
  | 'xml'
  | 'xml?'
  | 'name'
  | 'name?'
  | 'uri'
  | 'uri?'
  | 'prose?'
  | 'domain'
  | 'domain?'
  | 'params'

/** @see protocols.md C.3; libvirt src/remote/remote_protocol.x */
const CALLS: ReadonlyMap<number, readonly Field[]> = new Map<number, readonly Field[]>([
  [PROCEDURE.CONNECT_OPEN, ['uri?', 'int']],
  [PROCEDURE.CONNECT_SUPPORTS_FEATURE, ['int']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE2, ['uri?', 'long', 'name?', 'long', 'xml']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL, ['long', 'name?', 'long', 'xml']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE3, ['cookie', 'uri?', 'long', 'name?', 'long', 'xml']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3, ['cookie', 'long', 'name?', 'long', 'xml']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE3_PARAMS, ['params', 'cookie', 'int']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS, ['params', 'cookie', 'int']],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH2, ['name', 'cookie', 'uri', 'long', 'int']],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3, ['name', 'cookie', 'uri?', 'uri?', 'long', 'int']],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3_PARAMS, ['params', 'cookie', 'int', 'int']],
  [PROCEDURE.DOMAIN_MIGRATE_BEGIN3, ['domain', 'xml?', 'long', 'name?', 'long']],
  [PROCEDURE.DOMAIN_MIGRATE_BEGIN3_PARAMS, ['domain', 'params', 'int']],
  [PROCEDURE.DOMAIN_MIGRATE_PERFORM, ['domain', 'cookie', 'uri', 'long', 'name?', 'long']],
  [PROCEDURE.DOMAIN_MIGRATE_PERFORM3, ['domain', 'xml?', 'cookie', 'uri?', 'uri?', 'long', 'name?', 'long']],
  [PROCEDURE.DOMAIN_MIGRATE_PERFORM3_PARAMS, ['domain', 'uri?', 'params', 'cookie', 'int']],
  [PROCEDURE.DOMAIN_MIGRATE_CONFIRM3, ['domain', 'cookie', 'long', 'int']],
  [PROCEDURE.DOMAIN_MIGRATE_CONFIRM3_PARAMS, ['domain', 'params', 'cookie', 'int', 'int']],
])

const RESULTS: ReadonlyMap<number, readonly Field[]> = new Map<number, readonly Field[]>([
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE2, ['cookie', 'uri?']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE3, ['cookie', 'uri?']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3, ['cookie']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE3_PARAMS, ['cookie', 'uri?']],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS, ['cookie']],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH2, ['domain']],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3, ['domain', 'cookie']],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3_PARAMS, ['domain', 'cookie']],
])

/** A `remote_error` as far as the numbers behind its texts. */
const ERROR: readonly Field[] = [
  'int',
  'int',
  'prose?',
  'int',
  'domain?',
  'prose?',
  'prose?',
  'prose?',
  'int',
  'int',
]

/** Bytes of numbers that calls end with, which are read where what is before them was not captured. */
const TAIL_SIZE: ReadonlyMap<number, number> = new Map<number, number>([
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE3_PARAMS, 4],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS, 4],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH2, 12],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3, 12],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3_PARAMS, 8],
  [PROCEDURE.DOMAIN_MIGRATE_BEGIN3_PARAMS, 4],
  [PROCEDURE.DOMAIN_MIGRATE_PERFORM3_PARAMS, 4],
  [PROCEDURE.DOMAIN_MIGRATE_CONFIRM3_PARAMS, 8],
])

const PARAM_STRING = 7
const PARAM_SIZE: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [2, 4],
  [3, 8],
  [4, 8],
  [5, 8],
  [6, 4],
])

const XML_PARAMS: ReadonlySet<string> = new Set(['destination_xml', 'persistent_xml'])
const TERM_PARAMS: ReadonlySet<string> = new Set([
  'compression',
  'migrate_disks',
  'migrate_disks_detect_zeroes',
])
const URI_PARAMS: ReadonlySet<string> = new Set(['migrate_uri', 'graphics_uri', 'disks_uri'])

/** The start of a message's body, with what it says replaced; what has no known form is zero.
 *  @param header of the message @param body `body[0 … kept)`, which need not be all @param size bytes that the message claims */
export function replaceInBody(
  header: Uint8Array,
  body: Uint8Array,
  kept: number,
  size: number,
  pseudonyms: Pseudonyms,
): Uint8Array {
  const writer = new BodyWriter(body, kept, size, pseudonyms)
  const type = u32be(header, FIELD.type)
  if (type === MESSAGE_TYPE.callWithFds || type === MESSAGE_TYPE.replyWithFds) writer.write('int')
  for (const field of fieldsOf(header)) writer.write(field)
  return writer.out
}

/** The last bytes of a call of which the middle is missing; zero but for numbers. */
export function keptTail(header: Uint8Array, tail: Uint8Array): Uint8Array {
  const isCall = u32be(header, FIELD.type) === MESSAGE_TYPE.call
  const size = isCall ? (TAIL_SIZE.get(u32be(header, FIELD.procedure)) ?? 0) : 0
  return tail.slice(Math.max(0, tail.length - size))
}

function fieldsOf(header: Uint8Array): readonly Field[] {
  const procedure = u32be(header, FIELD.procedure)
  switch (u32be(header, FIELD.type)) {
    case MESSAGE_TYPE.call:
    case MESSAGE_TYPE.callWithFds:
      return CALLS.get(procedure) ?? []
    case MESSAGE_TYPE.reply:
    case MESSAGE_TYPE.replyWithFds:
    case MESSAGE_TYPE.stream:
      return u32be(header, FIELD.status) === STATUS.ok ? (RESULTS.get(procedure) ?? []) : ERROR
    default:
      return []
  }
}

/** Bytes that a message's header says its body has. */
export function bodySizeOf(header: Uint8Array): number {
  return u32be(header, FIELD.length) - HEADER_SIZE
}

/** Copies field by field; where one does not fit, all that follows stays zero. */
class BodyWriter {
  readonly out: Uint8Array
  readonly #cursor: XdrCursor
  readonly #body: Uint8Array
  readonly #pseudonyms: Pseudonyms

  constructor(body: Uint8Array, kept: number, size: number, pseudonyms: Pseudonyms) {
    this.out = new Uint8Array(kept)
    this.#body = body
    this.#cursor = new XdrCursor(body, 0, kept, size)
    this.#pseudonyms = pseudonyms
  }

  write(field: Field): void {
    switch (field) {
      case 'int':
        this.#copy(4)
        return
      case 'long':
        this.#copy(8)
        return
      case 'uuid': {
        const at = this.#copy(16)
        if (at !== null) this.#pseudonyms.uuids.replaceAt(this.out, at)
        return
      }
      case 'params':
        this.#parameters()
        return
      case 'domain':
        this.write('name')
        this.write('uuid')
        this.write('int')
        return
      case 'cookie':
      case 'xml':
        this.#opaque((text) => this.#xml(text))
        return
      case 'name':
      case 'uri':
        this.#opaque((text) => this.#pseudonyms.replace(text, field))
        return
      default:
        this.#optional(field.slice(0, -1) as 'xml' | 'name' | 'uri' | 'prose' | 'domain') // of those with a question mark
    }
  }

  #optional(field: 'xml' | 'name' | 'uri' | 'prose' | 'domain'): void {
    const at = this.#copy(4)
    if (at === null || u32be(this.#body, at) !== 1) return
    if (field === 'prose') this.#opaque((text) => this.#pseudonyms.replace(text, 'prose'))
    else this.write(field)
  }

  #parameters(): void {
    const at = this.#copy(4)
    const count = at === null ? 0 : u32be(this.#body, at)
    for (let i = 0; i < count && this.#cursor.ok; i++) {
      const name = this.#opaque((text) => this.#pseudonyms.replace(text, 'term'))
      const typeAt = this.#copy(4)
      if (name === null || typeAt === null) return
      const type = u32be(this.#body, typeAt)
      const size = PARAM_SIZE.get(type)
      if (size !== undefined) this.#copy(size)
      else if (type === PARAM_STRING) this.#opaque((text) => this.#parameter(name, text))
      else this.#cursor.fail()
    }
  }

  #parameter(name: string, text: string): string {
    if (XML_PARAMS.has(name)) return this.#xml(text)
    const policy: Policy = TERM_PARAMS.has(name)
      ? 'prose'
      : URI_PARAMS.has(name)
        ? 'uri'
        : name === 'destination_name'
          ? 'name'
          : 'text'
    return this.#pseudonyms.replace(text, policy)
  }

  #xml(text: string): string {
    return text.startsWith('<') ? replaceInXml(text, this.#pseudonyms) : '\0'.repeat(text.length)
  }

  /** @returns where it stands; null when it was not captured */
  #copy(size: number): number | null {
    const at = this.#cursor.skip(size)
    if (at !== null) this.out.set(this.#body.subarray(at, at + size), at)
    return at
  }

  /** @returns the text before it was replaced; null when it was not captured as a whole */
  #opaque(replace: (text: string) => string): string | null {
    const range = this.#cursor.opaque()
    if (range === null) return null
    this.out.set(this.#body.subarray(range.start - 4, range.start), range.start - 4)
    const text = latin1(this.#body, range.start, range.end)
    writeLatin1(this.out, range.start, replace(text))
    return this.#cursor.ok ? text : null
  }
}
