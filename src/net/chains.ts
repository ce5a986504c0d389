import type { TcpConnection } from './tcp.ts'

/** A power of two. To make a table for all connections that may be followed would take longer than to read a small capture. */
const CHAINS_AT_FIRST = 256

/** Finds a connection by the numbers of its ends: a hash table whose entries are chained by `next`, and which grows with them. */
export class ConnectionChains {
  #chains: (TcpConnection | null)[] = empty(CHAINS_AT_FIRST)
  #size = 0

  /** Null when there is none. Of several with the same ends, the one that was added last. */
  find(low: number, high: number, lowPort: number, highPort: number): TcpConnection | null {
    let connection = this.#chains[this.#placeOf(low, high, lowPort, highPort)] as TcpConnection | null
    while (connection !== null && !isBetween(connection, low, high, lowPort, highPort))
      connection = connection.next
    return connection
  }

  add(connection: TcpConnection): void {
    this.#chain(connection)
    if (++this.#size * 2 > this.#chains.length) this.#grow()
  }

  /** @param connection one that was added */
  remove(connection: TcpConnection): void {
    const chain = this.#chainOf(connection)
    let before = this.#chains[chain] as TcpConnection | null
    if (before === connection) this.#chains[chain] = connection.next
    while (before !== null && before.next !== connection) before = before.next
    if (before !== null) before.next = connection.next
    connection.next = null
    this.#size--
  }

  clear(): void {
    this.#chains = empty(CHAINS_AT_FIRST)
    this.#size = 0
  }

  #grow(): void {
    const before = this.#chains
    this.#chains = empty(before.length * 2)
    for (const first of before) this.#rechain(first)
  }

  /** The first of a chain is to be the first again. */
  #rechain(first: TcpConnection | null): void {
    const chain: TcpConnection[] = []
    for (let each = first; each !== null; each = each.next) chain.push(each)
    for (const connection of chain.reverse()) this.#chain(connection)
  }

  #chain(connection: TcpConnection): void {
    const chain = this.#chainOf(connection)
    connection.next = this.#chains[chain] as TcpConnection | null
    this.#chains[chain] = connection
  }

  #chainOf({ low, high }: TcpConnection): number {
    return this.#placeOf(low.number, high.number, low.port, high.port)
  }

  /** @see MurmurHash3, 32-bit: its last step */
  #placeOf(low: number, high: number, lowPort: number, highPort: number): number {
    let mixed =
      Math.imul(low, 0x9e3779b1) ^
      Math.imul(high, 0x85ebca6b) ^
      Math.imul((lowPort << 16) | highPort, 0xc2b2ae35)
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    return (mixed ^ (mixed >>> 15)) & (this.#chains.length - 1)
  }
}

function empty(size: number): (TcpConnection | null)[] {
  return new Array(size).fill(null)
}

function isBetween(
  { low, high }: TcpConnection,
  lowNumber: number,
  highNumber: number,
  lowPort: number,
  highPort: number,
): boolean {
  return (
    low.number === lowNumber && low.port === lowPort && high.number === highNumber && high.port === highPort
  )
}
