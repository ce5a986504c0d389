/** JSON off the wire: nothing throws, nothing is believed before its type is known. */

/** Deeper values of a text that breaks off are not read. Nova's objects are some ten levels deep. */
const DEPTH_MAX = 64

export type JsonObject = Readonly<Record<string, unknown>>

/** The value of a whole JSON text; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not JSON, or too deep for the engine
  }
}

/** As much of the value of a JSON text as its start tells: members and elements that are whole, at every level.
 *  Undefined when not even the start is JSON.
 *  @param cutString keep the start of a string that breaks off; otherwise it is left out like other cut values */
export function parseJsonPrefix(text: string, cutString = false): unknown {
  return new PrefixParser(text, cutString).value(0)
}

export function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null // just checked
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function asString(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** The member at the end of a path of keys; undefined when a step is missing. Inherited properties are none. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  let at = value
  for (const key of path) {
    const object = asObject(at)
    if (object === null || !Object.hasOwn(object, key)) return undefined
    at = object[key]
  }
  return at
}

/** Longer than any name or identifier. */
const NAME_MAX = 255

/** A string that is a name, an identifier or a state; null when it is too long for one. */
export function nameMember(value: unknown, ...path: readonly string[]): string | null {
  const name = asString(member(value, ...path))
  return name !== null && name.length <= NAME_MAX ? name : null
}

export function stringMember(value: unknown, ...path: readonly string[]): string | null {
  return asString(member(value, ...path))
}

const NUMBER_OR_WORD = /[-+.0-9A-Za-z]*/y
const SPACE = /[ \t\r\n]*/y

/** Reads until the text is not, or no longer, JSON; then all open values end as they are. */
class PrefixParser {
  readonly #text: string
  readonly #cutString: boolean
  #at = 0
  /** The text broke off: nothing more is read. */
  #over = false

  constructor(text: string, cutString: boolean) {
    this.#text = text
    this.#cutString = cutString
  }

  value(depth: number): unknown {
    this.#match(SPACE)
    switch (this.#text[this.#at]) {
      case '{':
        return depth < DEPTH_MAX ? this.#object(depth) : this.#stop()
      case '[':
        return depth < DEPTH_MAX ? this.#array(depth) : this.#stop()
      case '"':
        return this.#string(this.#cutString)
      default:
        return this.#scalar()
    }
  }

  #object(depth: number): JsonObject {
    // Without a prototype: "__proto__" is a key like others.
    const object: Record<string, unknown> = Object.create(null)
    this.#at++
    if (this.#skip('}')) return object
    while (!this.#over) {
      this.#match(SPACE)
      const key = this.#text[this.#at] === '"' ? this.#string(false) : this.#stop()
      if (key === undefined || !this.#skip(':')) break
      const value = this.value(depth + 1)
      if (value !== undefined) object[key] = value
      if (this.#over || this.#skip('}')) return object
      if (!this.#skip(',')) break
    }
    this.#stop()
    return object
  }

  #array(depth: number): unknown[] {
    const array: unknown[] = []
    this.#at++
    if (this.#skip(']')) return array
    while (!this.#over) {
      const value = this.value(depth + 1)
      if (value !== undefined) array.push(value)
      if (this.#over || this.#skip(']')) return array
      if (!this.#skip(',')) break
    }
    this.#stop()
    return array
  }

  #string(cut: boolean): string | undefined {
    const text = this.#text
    const start = this.#at + 1
    let end = start
    // Where the string may be cut: not inside an escape.
    let whole = start
    while (end < text.length && text[end] !== '"') {
      end += text[end] !== '\\' ? 1 : text[end + 1] === 'u' ? 6 : 2
      if (end <= text.length) whole = end
    }
    if (end < text.length) this.#at = end + 1
    else this.#stop()
    if (this.#over && !cut) return undefined
    const value = parseJson(`"${text.slice(start, whole)}"`)
    return typeof value === 'string' ? value : this.#stop()
  }

  #scalar(): unknown {
    const start = this.#at
    this.#match(NUMBER_OR_WORD)
    const word = this.#text.slice(start, this.#at)
    // At the end of the text, more digits might have followed.
    const value = this.#at < this.#text.length ? parseJson(word) : undefined
    return value === undefined ? this.#stop() : value
  }

  #skip(char: string): boolean {
    this.#match(SPACE)
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #match(pattern: RegExp): void {
    pattern.lastIndex = this.#at
    pattern.test(this.#text)
    this.#at = pattern.lastIndex
  }

  #stop(): undefined {
    this.#over = true
    return undefined
  }
}
