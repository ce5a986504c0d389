const CHUNK = 1024 * 1024

/** Where each packet of a merged trace comes from: four bytes a packet, which is what it costs to name the file and the
 *  packet number of any evidence afterwards. */
export class Origins {
  readonly #chunks: Uint32Array[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @param point below 16 @param packet below 2^28 */
  add(point: number, packet: number): void {
    const index = this.#size % CHUNK
    if (index === 0) this.#chunks.push(new Uint32Array(CHUNK))
    const chunk = this.#chunks.at(-1)
    if (chunk !== undefined) chunk[index] = point * 2 ** 28 + packet
    this.#size++
  }

  /** @param packet of the merged trace, 1-based */
  of(packet: number): { point: number; packet: number } {
    const index = packet - 1
    const word = this.#chunks[Math.floor(index / CHUNK)]?.[index % CHUNK] ?? 0
    return { point: Math.floor(word / 2 ** 28), packet: word % 2 ** 28 }
  }
}
