import { type Keyed, PERMUTED_MAX } from './keyed.ts'

/** Words remembered; the replacements of others are made again. */
const REMEMBERED_MAX = 131_072
/** A longer word of these letters and digits is taken for a number in hexadecimal, and stays one. */
const HEX_MIN = 8

const DIGIT = { first: 0x30, size: 10 } as const
const UPPER = { first: 0x41, size: 26 } as const
const LOWER = { first: 0x61, size: 26 } as const
const LOWER_HEX = { first: 0x61, size: 6 } as const
const UPPER_HEX = { first: 0x41, size: 6 } as const

interface Letters {
  readonly first: number
  readonly size: number
}

/** Replacements for words: runs of letters and digits, and of the bytes of other characters. One has the length of the other,
 *  digits where there were digits and letters of either case where there were such; different words never get the same. */
export class Words {
  readonly #keyed: Keyed
  readonly #isReserved: (word: string) => boolean
  readonly #known = new Map<string, string>()

  /** @param isReserved words that no other word may become: those that are never replaced */
  constructor(keyed: Keyed, isReserved: (word: string) => boolean) {
    this.#keyed = keyed
    this.#isReserved = isReserved
  }

  get replaced(): ReadonlyMap<string, string> {
    return this.#known
  }

  /** @param word one character a byte */
  replace(word: string): string {
    let found = this.#known.get(word)
    if (found === undefined) {
      found = this.#make(word)
      if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
      this.#known.set(word, found)
    }
    return found
  }

  #make(word: string): string {
    const letters = lettersOf(word)
    const size = letters.reduce((product, { size }) => product * size, 1)
    const isPlain = [...word].every((character) => character < '\x80')
    if (size > PERMUTED_MAX || !isPlain) return this.#hash(word, letters)
    const label = `word ${letters.map(({ first, size }) => `${first}.${size}`).join()}`
    const [hex, reserved] = [isHex(word), this.#isReserved(word)]
    let at = word
    // What is no number in hexadecimal becomes none, so that two words cannot meet there.
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      at = textOf(this.#keyed.replace(label, numberOf(at, letters), size), letters)
      if (isHex(at) === hex && (reserved || !this.#isReserved(at))) return at
    }
    return at
  }

  #hash(word: string, letters: readonly Letters[]): string {
    const bytes = Uint8Array.from(word, (character) => character.charCodeAt(0))
    const hash = this.#keyed.hash('long word', bytes, 2 * word.length)
    let replaced = ''
    letters.forEach(({ first, size }, i) => {
      const value = (hash[2 * i] as number) * 256 + (hash[2 * i + 1] as number)
      replaced += String.fromCharCode(first + (value % size))
    })
    return replaced
  }
}

/** Long before that, one is found: few words are reserved. */
const TRIES_MAX = 10_000

function isHex(word: string): boolean {
  if (word.length < HEX_MIN || !/\d/.test(word)) return false
  return /^[0-9a-f]+$/.test(word) || /^[0-9A-F]+$/.test(word)
}

function lettersOf(word: string): Letters[] {
  const hex = isHex(word)
  return [...word].map((character) => {
    if (character >= '0' && character <= '9') return DIGIT
    if (character >= 'A' && character <= 'Z') return hex ? UPPER_HEX : UPPER
    return hex ? LOWER_HEX : LOWER
  })
}

function numberOf(word: string, letters: readonly Letters[]): number {
  return letters.reduce((sum, { first, size }, i) => sum * size + word.charCodeAt(i) - first, 0)
}

function textOf(value: number, letters: readonly Letters[]): string {
  let rest = value
  let word = ''
  for (const { first, size } of [...letters].reverse()) {
    word = String.fromCharCode(first + (rest % size)) + word
    rest = Math.floor(rest / size)
  }
  return word
}
