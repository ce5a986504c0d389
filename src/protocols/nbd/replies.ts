import { u16be, u32be, u64be } from '../../core/bytes.ts'
import type { NbdConversation, Span } from './conversation.ts'
import {
  CHUNK_ERROR,
  EXPORT_REPLY,
  EXTENDED_REPLY,
  FLAG_DONE,
  GREETING,
  INFO_EXPORT,
  isTls,
  MAGIC_SIZE,
  OLD_STYLE,
  OPTION,
  OPTION_REPLY,
  OPTION_REPLY_INFO,
  OPTION_TYPE,
  SERVER_FLAGS_SIZE,
  SIMPLE_REPLY,
  STRUCTURED_REPLY,
} from './format.ts'
import type { Messages } from './messages.ts'

/** What is believed in a search: error numbers of the protocol end at 108, and chunks hold at most what was read. */
const ERROR_MAX = 255
const CHUNK_TYPE_MAX = 15
const LENGTH_MAX = 64 * 1024 * 1024

/** Which messages come next. `zeros`: an EXPORT_NAME reply has been read, zeros may follow. */
const STAGE = { greeting: 0, style: 1, options: 2, zeros: 3, replies: 4 } as const
type Stage = (typeof STAGE)[keyof typeof STAGE]

/** What a server sends: the greeting, replies to options, replies to requests. */
export class Replies implements Messages {
  readonly magics = [SIMPLE_REPLY.magic, STRUCTURED_REPLY.magic, EXTENDED_REPLY.magic, OPTION_REPLY.high]
  readonly #conversation: NbdConversation
  #stage: Stage = STAGE.greeting

  constructor(conversation: NbdConversation) {
    this.#conversation = conversation
  }

  measure(head: Uint8Array, have: number): number {
    if (have < MAGIC_SIZE) return MAGIC_SIZE
    if (this.#stage === STAGE.greeting) return measureGreeting(head, have)
    if (this.#stage === STAGE.style) return measureStyle(head, have)
    switch (u32be(head, 0)) {
      case SIMPLE_REPLY.magic:
        return SIMPLE_REPLY.size
      case STRUCTURED_REPLY.magic:
        return STRUCTURED_REPLY.size
      case EXTENDED_REPLY.magic:
        return EXTENDED_REPLY.size
      case OPTION_REPLY.high:
        return this.#stage === STAGE.options ? measureOptionReply(head, have) : 0
      default:
        if (this.#stage === STAGE.zeros) return u32be(head, 0) === 0 ? MAGIC_SIZE : 0
        return this.#stage === STAGE.options ? measureExportReply(head, have) : 0
    }
  }

  believable(head: Uint8Array): boolean {
    switch (u32be(head, 0)) {
      case SIMPLE_REPLY.magic:
        return u32be(head, SIMPLE_REPLY.error) <= ERROR_MAX
      case STRUCTURED_REPLY.magic:
        return isChunk(head) && u32be(head, STRUCTURED_REPLY.length) <= LENGTH_MAX
      case EXTENDED_REPLY.magic:
        return isChunk(head) && u64be(head, EXTENDED_REPLY.length) <= LENGTH_MAX
      default:
        return (
          u32be(head, OPTION_REPLY.option) <= OPTION_TYPE.last &&
          u32be(head, OPTION_REPLY.length) <= LENGTH_MAX
        )
    }
  }

  begin(head: Uint8Array, have: number, span: Span): number {
    switch (this.#stage) {
      case STAGE.greeting:
        this.#stage = STAGE.style
        this.#conversation.greeted(span)
        return 0
      case STAGE.style:
        return this.#beginStyle(head, span)
      case STAGE.zeros:
        this.#stage = STAGE.replies
        return u32be(head, 0) === 0 ? EXPORT_REPLY.zeros - have : this.#beginReply(head)
      case STAGE.options:
        return this.#beginOptionReply(head, have, span)
      default:
        return this.#beginReply(head)
    }
  }

  finish(): void {}

  lose(): void {
    this.#stage = this.#stage <= STAGE.options ? STAGE.options : STAGE.replies
  }

  #beginStyle(head: Uint8Array, span: Span): number {
    if (u32be(head, 0) === OPTION.high) {
      this.#stage = STAGE.options
      return 0
    }
    this.#stage = STAGE.replies
    this.#conversation.sized(u64be(head, OLD_STYLE.diskSize), span)
    return OLD_STYLE.size - OLD_STYLE.head
  }

  #beginOptionReply(head: Uint8Array, have: number, span: Span): number {
    switch (u32be(head, 0)) {
      case OPTION_REPLY.high:
        if (have === INFO_EXPORT.size && u16be(head, INFO_EXPORT.type) === INFO_EXPORT.typeExport)
          this.#conversation.sized(u64be(head, INFO_EXPORT.diskSize), span)
        return OPTION_REPLY.size + u32be(head, OPTION_REPLY.length) - have
      case SIMPLE_REPLY.magic:
      case STRUCTURED_REPLY.magic:
      case EXTENDED_REPLY.magic:
        this.#stage = STAGE.replies
        return this.#beginReply(head)
      default:
        if (isTls(head)) {
          this.#conversation.encrypted()
          return Number.POSITIVE_INFINITY
        }
        this.#stage = STAGE.zeros
        this.#conversation.sized(u64be(head, EXPORT_REPLY.diskSize), span)
        return 0
    }
  }

  #beginReply(head: Uint8Array): number {
    if (u32be(head, 0) === SIMPLE_REPLY.magic)
      return this.#conversation.replied(u64be(head, SIMPLE_REPLY.cookie), u32be(head, SIMPLE_REPLY.error))
    const isError = (u16be(head, STRUCTURED_REPLY.type) & CHUNK_ERROR) !== 0
    const isLast = (u16be(head, STRUCTURED_REPLY.flags) & FLAG_DONE) !== 0
    this.#conversation.repliedInPart(isError, isLast)
    return u32be(head, 0) === STRUCTURED_REPLY.magic
      ? u32be(head, STRUCTURED_REPLY.length)
      : u64be(head, EXTENDED_REPLY.length)
  }
}

function measureGreeting(head: Uint8Array, have: number): number {
  if (have < GREETING.size) return GREETING.size
  return u32be(head, 0) === GREETING.high && u32be(head, 4) === GREETING.low ? GREETING.size : 0
}

function measureStyle(head: Uint8Array, have: number): number {
  if (have < 8) return 8
  if (u32be(head, 0) === OPTION.high && u32be(head, 4) === OPTION.low) return SERVER_FLAGS_SIZE
  return u32be(head, 0) === OLD_STYLE.high && u32be(head, 4) === OLD_STYLE.low ? OLD_STYLE.head : 0
}

/** Of information about the export that GO asked for, as far as the size. */
function measureOptionReply(head: Uint8Array, have: number): number {
  if (have < OPTION_REPLY.size) return OPTION_REPLY.size
  if (u32be(head, 4) !== OPTION_REPLY.low) return 0
  const informs =
    u32be(head, OPTION_REPLY.option) === OPTION_TYPE.go &&
    u32be(head, OPTION_REPLY.type) === OPTION_REPLY_INFO &&
    u32be(head, OPTION_REPLY.length) >= INFO_EXPORT.length
  return informs ? INFO_EXPORT.size : OPTION_REPLY.size
}

/** The one message without a magic: the size tells it from TLS, and a flag that is always set from anything else. */
function measureExportReply(head: Uint8Array, have: number): number {
  if (isTls(head)) return MAGIC_SIZE
  if (have < EXPORT_REPLY.size) return EXPORT_REPLY.size
  return (u16be(head, EXPORT_REPLY.flags) & EXPORT_REPLY.hasFlags) !== 0 ? EXPORT_REPLY.size : 0
}

function isChunk(head: Uint8Array): boolean {
  const type = u16be(head, STRUCTURED_REPLY.type) & ~CHUNK_ERROR
  return u16be(head, STRUCTURED_REPLY.flags) <= FLAG_DONE && type <= CHUNK_TYPE_MAX
}
