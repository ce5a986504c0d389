import type { Span } from './conversation.ts'

/** What the messages of one direction look like. A message is a head, which is read, and a body, which is counted past. */
export interface Messages {
  /** First words of messages, by which one is found behind a loss. */
  readonly magics: readonly number[]
  /** Bytes of a head that are needed to go on: more than `have`, or not more when the head is whole. 0 when no message
   *  begins so. */
  measure(head: Uint8Array, have: number): number
  /** Whether the fields of a whole head fit each other; asked behind a loss. */
  believable(head: Uint8Array): boolean
  /** Takes a whole head of `have` bytes.
   *  @returns bytes of the body, Infinity when nothing that follows is to be read */
  begin(head: Uint8Array, have: number, span: Span): number
  /** The message whose head was taken last has passed. */
  finish(span: Span): void
  /** Bytes are missing, and with them messages. */
  lose(): void
}
