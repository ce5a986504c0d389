/** What an element is that a decoder has read; `plain` holds nothing but structure. Named `protocol.element`. */
export type ElementKind =
  | 'plain'
  | 'qemu.uuid'
  | 'qemu.block'
  | 'qemu.blob-end'
  | 'multifd.initial'
  | 'multifd.head'
  | 'nbd.head'
  | 'tls.record'
  | 'libvirt.header'
  | 'libvirt.body'
  | 'libvirt.tail'
  | 'http.start'
  | 'http.header'
  | 'http.chunk-size'
  | 'amqp.method'
  | 'amqp.content-header'

/** Is told by a decoder which bytes it has read as what, so that a copy of the capture may keep these and no others. Optional
 *  in every decoder: without one, none of this costs anything. All indices count from the array that is being pushed: an
 *  element that began in an earlier push starts before its first byte. */
export interface Witness {
  /** An element was read and made sense.
   *  @param bytes the element is `bytes[start … end)`, borrowed
   *  @param at where it ends among the bytes being pushed, or in the gap */
  element(kind: ElementKind, bytes: Uint8Array, start: number, end: number, at: number): void
  /** The bytes from `from` to `to` among those being pushed belong to a text that comes in parts.
   *  @param text which one, as there may be several at once */
  part(text: number, from: number, to: number): void
  /** A text is over: `bytes[0 … kept)` are those of its parts, in order, as far as they are of interest. Null: of no interest. */
  whole(text: number, bytes: Uint8Array | null, kept: number): void
}

/** A decoder that says how many of the bytes that passed last may still become part of an element. */
export interface Unsettled {
  readonly unsettled: number
}
