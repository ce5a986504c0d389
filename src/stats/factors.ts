import { InputError } from '../core/input-error.ts'

/** Endings of file names that say what a file is, not which run. */
const ENDING = /(\.(pcap|pcapng|cap|ndjson))?(\.(gz|zst|lz4))?$/i

/** Where the levels of factors stand in a path: `{flavor}/{load}/run-{n}`. It is held against the end of the path, without the
 *  ending of the file's name. */
export class FactorPattern {
  readonly names: readonly string[]
  readonly #expression: RegExp

  /** @throws InputError when the pattern makes no sense */
  constructor(pattern: string) {
    const names: string[] = []
    const source = pattern
      .replace(/\/+$/, '')
      .split(/(\{[^{}]*\})/)
      .map((part) => {
        const [, name] = /^\{([^{}]*)\}$/.exec(part) ?? []
        if (name === undefined) return literal(part)
        names.push(name)
        return '([^/]+?)'
      })
      .join('')
    const wrong = names.find((name) => !/^[\p{L}\p{N}_. -]+$/u.test(name))
    if (wrong !== undefined) throw new InputError(`has a factor without a proper name: {${wrong}}`, pattern)
    if (names.length === 0)
      throw new InputError("names no factor: write them in braces, as in '{flavor}/{load}/run-{n}'", pattern)
    if (new Set(names).size < names.length) throw new InputError('names a factor twice', pattern)
    this.names = names
    this.#expression = new RegExp(`(?:^|/)${source}$`, 'u')
  }

  /** The levels in a path; null when it does not fit the pattern. */
  match(path: string): Record<string, string> | null {
    const found = this.#expression.exec(path.replaceAll('\\', '/').replace(ENDING, ''))
    if (found === null) return null
    return Object.fromEntries(this.names.map((name, index) => [name, found[index + 1] ?? '']))
  }
}

function literal(text: string): string {
  if (/[{}]/.test(text)) throw new InputError('has a brace without its counterpart', text)
  return text.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
}

/** Runs to be looked at: all conditions `factor=level` must hold; of several levels for one factor, one. */
export class FactorFilter {
  readonly #levels = new Map<string, Set<string>>()

  /** @throws InputError when a condition is not of that form */
  constructor(conditions: readonly string[]) {
    for (const condition of conditions) {
      const at = condition.indexOf('=')
      if (at < 1) throw new InputError('is no condition: write FACTOR=LEVEL', condition)
      const name = condition.slice(0, at)
      const levels = this.#levels.get(name) ?? new Set()
      this.#levels.set(name, levels.add(condition.slice(at + 1)))
    }
  }

  /** Factors that conditions are about. */
  get names(): readonly string[] {
    return [...this.#levels.keys()]
  }

  accepts(factors: Readonly<Record<string, string>>): boolean {
    for (const [name, levels] of this.#levels)
      if (!levels.has(Object.hasOwn(factors, name) ? (factors[name] as string) : '')) return false
    return true
  }
}
