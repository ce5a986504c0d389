import { text, u16be, u32be, u64be } from '../../core/bytes.ts'
import { NBD_NAME_MAX } from '../../core/limits.ts'
import type { NbdConversation, Span } from './conversation.ts'
import {
  COMMAND,
  EXTENDED_REQUEST,
  FLAG_PAYLOAD,
  FLAGS_MAX,
  GO,
  isTls,
  MAGIC_SIZE,
  OPTION,
  OPTION_TYPE,
  REQUEST,
} from './format.ts'
import type { Messages } from './messages.ts'

/** Bytes of an option or of a written block that are believed in a search; servers take less (32 MiB and 64 KiB). */
const OPTION_LENGTH_MAX = 64 * 1024
const WRITE_LENGTH_MAX = 64 * 1024 * 1024

/** Which messages come next: the client's flags, options until one of them starts the transmission, requests. */
const STAGE = { flags: 0, options: 1, requests: 2 } as const
type Stage = (typeof STAGE)[keyof typeof STAGE]

/** What a client sends. Each message but the first tells by itself what it is. */
export class Requests implements Messages {
  readonly magics = [REQUEST.magic, EXTENDED_REQUEST.magic, OPTION.high]
  readonly #conversation: NbdConversation
  #stage: Stage = STAGE.flags
  #askedForTls = false
  /** The request at hand; -1 for what is none. */
  #command = -1
  #length = 0

  constructor(conversation: NbdConversation) {
    this.#conversation = conversation
  }

  measure(head: Uint8Array, have: number): number {
    if (have < MAGIC_SIZE) return MAGIC_SIZE
    switch (u32be(head, 0)) {
      case REQUEST.magic:
        return REQUEST.size
      case EXTENDED_REQUEST.magic:
        return EXTENDED_REQUEST.size
      case OPTION.high:
        return this.#stage === STAGE.options ? measureOption(head, have) : 0
      default:
        return this.#stage === STAGE.flags || this.#isTls(head) ? MAGIC_SIZE : 0
    }
  }

  believable(head: Uint8Array): boolean {
    if (u32be(head, 0) === OPTION.high)
      return u32be(head, OPTION.option) <= OPTION_TYPE.last && u32be(head, OPTION.length) <= OPTION_LENGTH_MAX
    const command = u16be(head, REQUEST.type)
    const offsetFits = u32be(head, REQUEST.offset) < 0x80000000
    const lengthFits = command !== COMMAND.write || lengthOf(head) <= WRITE_LENGTH_MAX
    return command <= COMMAND.last && u16be(head, REQUEST.flags) <= FLAGS_MAX && offsetFits && lengthFits
  }

  begin(head: Uint8Array, have: number, span: Span): number {
    this.#command = -1
    switch (u32be(head, 0)) {
      case REQUEST.magic:
      case EXTENDED_REQUEST.magic:
        return this.#beginRequest(head)
      case OPTION.high:
        this.#readOption(head, have, span)
        return OPTION.size + u32be(head, OPTION.length) - have
      default:
        if (this.#stage === STAGE.options) {
          this.#conversation.encrypted()
          return Number.POSITIVE_INFINITY
        }
        this.#stage = STAGE.options
        return 0
    }
  }

  finish(span: Span): void {
    if (this.#command >= 0) this.#conversation.requested(this.#command, this.#length, span)
  }

  lose(): void {
    if (this.#stage === STAGE.flags) this.#stage = STAGE.options
  }

  #beginRequest(head: Uint8Array): number {
    this.#stage = STAGE.requests
    this.#command = u16be(head, REQUEST.type)
    this.#length = lengthOf(head)
    const extended = u32be(head, 0) === EXTENDED_REQUEST.magic
    const headSize = extended ? EXTENDED_REQUEST.size : REQUEST.size
    this.#conversation.asked(this.#command, u64be(head, REQUEST.cookie), this.#length, headSize)
    const payload = extended && (u16be(head, REQUEST.flags) & FLAG_PAYLOAD) !== 0
    return payload || this.#command === COMMAND.write ? this.#length : 0
  }

  #readOption(head: Uint8Array, have: number, span: Span): void {
    const option = u32be(head, OPTION.option)
    if (option === OPTION_TYPE.startTls) this.#askedForTls = true
    else if (option === OPTION_TYPE.exportName && have === OPTION.size + u32be(head, OPTION.length))
      this.#conversation.named(text(head, OPTION.size, have), span)
    else if (option === OPTION_TYPE.go && have === GO.name + u32be(head, GO.nameLength))
      this.#conversation.named(text(head, GO.name, have), span)
  }

  #isTls(head: Uint8Array): boolean {
    return this.#stage === STAGE.options && this.#askedForTls && isTls(head)
  }
}

/** Bytes of an option up to the end of the export's name, or without its data when there is no name to be read. */
function measureOption(head: Uint8Array, have: number): number {
  if (have < OPTION.size) return OPTION.size
  if (u32be(head, 4) !== OPTION.low) return 0
  const length = u32be(head, OPTION.length)
  switch (u32be(head, OPTION.option)) {
    case OPTION_TYPE.exportName:
      return length <= NBD_NAME_MAX ? OPTION.size + length : OPTION.size
    case OPTION_TYPE.go: {
      const nameMax = Math.min(NBD_NAME_MAX, length - (GO.name - OPTION.size) - GO.listLength)
      if (nameMax < 0) return OPTION.size
      if (have < GO.name) return GO.name
      const nameLength = u32be(head, GO.nameLength)
      return nameLength <= nameMax ? GO.name + nameLength : GO.name
    }
    default:
      return OPTION.size
  }
}

function lengthOf(head: Uint8Array): number {
  return u32be(head, 0) === EXTENDED_REQUEST.magic ? u64be(head, REQUEST.length) : u32be(head, REQUEST.length)
}
