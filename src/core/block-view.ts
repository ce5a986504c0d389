const NOTHING = new Uint8Array(0)

/** Views of the block at hand and of the one before it. To read a word through one costs a third of what its four bytes cost, and to
 *  make one as much as thirty words: most packets lie in the same block as the one before, and what the end of a block cuts in two is
 *  read in a buffer of its own, before the next block, which comes in the same array. */
export class BlockView {
  #bytes: Uint8Array = NOTHING
  #view: DataView = new DataView(NOTHING.buffer)
  #otherBytes: Uint8Array = NOTHING
  #otherView = this.#view

  of(bytes: Uint8Array): DataView {
    if (bytes !== this.#bytes) this.#change(bytes)
    return this.#view
  }

  #change(bytes: Uint8Array): void {
    const view =
      bytes === this.#otherBytes
        ? this.#otherView
        : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#otherBytes = this.#bytes
    this.#otherView = this.#view
    this.#bytes = bytes
    this.#view = view
  }
}
