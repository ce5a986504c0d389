export interface Kind {
  /** How many there are in one that a test can afford; even. */
  readonly few: number
  /** How many there are in a capture that takes some seconds to read. */
  readonly full: number
  write(path: string, count: number): void
}

export const KINDS: Readonly<Record<string, Kind>>
