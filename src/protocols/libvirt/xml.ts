/** Elements nested deeper are counted, not reported; nothing that is read lies below the fifth level. */
const DEPTH_MAX = 8

/** Characters of an element name, and of a value, that are looked at. */
const NAME_LENGTH_MAX = 64
const VALUE_LENGTH_MAX = 4096

export interface XmlVisitor {
  /** A whole start tag (or empty element). `path` is such as `/domain/name`; `tag` the text between its
   *  angle brackets, for `attribute`. */
  open(path: string, tag: string): void
  /** An element was closed: only then its value is known to be whole. `value` is the text of an element
   *  without child elements, entities resolved, cut to 4096 characters. */
  close(path: string, value: string): void
}

/** Walks XML that may be cut anywhere or be no XML at all: stops at the first construct without an end.
 *  Linear in the length of `text`; never throws. Knows the five predefined entities and numeric ones, and
 *  resolves no others. Closing tags are matched by depth, not by name. */
export function scanXml(text: string, visitor: XmlVisitor): void {
  new XmlScanner(text, visitor).run()
}

/** The value of an attribute in the text of a start tag; null when it has none. */
export function attribute(tag: string, name: string): string | null {
  let at = nameEnd(tag, 0)
  while (at < tag.length) {
    at = skipSpace(tag, at)
    const equals = tag.indexOf('=', at)
    if (equals < 0) return null
    const open = skipSpace(tag, equals + 1)
    const quote = tag[open]
    if (quote !== '"' && quote !== "'") return null
    const close = tag.indexOf(quote, open + 1)
    if (close < 0) return null
    if (tag.slice(at, equals).trimEnd() === name) {
      return resolveEntities(tag.slice(open + 1, Math.min(close, open + 1 + VALUE_LENGTH_MAX)))
    }
    at = close + 1
  }
  return null
}

class XmlScanner {
  readonly #text: string
  readonly #visitor: XmlVisitor
  /** Paths of the open elements, outermost first, at most DEPTH_MAX. */
  readonly #paths: string[] = []
  #depth = 0
  #value = ''
  /** The innermost element has had no child so far. */
  #leaf = false

  constructor(text: string, visitor: XmlVisitor) {
    this.#text = text
    this.#visitor = visitor
  }

  run(): void {
    let at = 0
    while (at >= 0 && at < this.#text.length) {
      const tag = this.#text.indexOf('<', at)
      if (tag < 0) return
      if (tag > at) this.#addText(at, tag, true)
      at = this.#markup(tag)
    }
  }

  /** Reads what starts with the `<` at `at`; gives where it ends, or -1 when the text ends first. */
  #markup(at: number): number {
    const text = this.#text
    if (text.startsWith('<!--', at)) return after(text, '-->', at + 4)
    if (text.startsWith('<?', at)) return after(text, '?>', at + 2)
    if (text.startsWith('<![CDATA[', at)) {
      const end = after(text, ']]>', at + 9)
      if (end >= 0) this.#addText(at + 9, end - 3, false)
      return end
    }
    if (text.startsWith('</', at)) {
      const end = after(text, '>', at + 2)
      if (end >= 0) this.#close()
      return end
    }
    const end = tagEnd(text, at + 1)
    if (end >= 0 && text[at + 1] !== '!') this.#open(at + 1, end - 1)
    return end
  }

  #open(start: number, end: number): void {
    const text = this.#text
    this.#depth++
    this.#leaf = true
    this.#value = ''
    if (this.#depth <= DEPTH_MAX) {
      const parent = this.#paths.at(-1) ?? ''
      const name = text.slice(start, Math.min(nameEnd(text, start), end, start + NAME_LENGTH_MAX))
      const path = `${parent}/${name}`
      this.#paths.push(path)
      this.#visitor.open(path, text.slice(start, end))
    }
    if (text[end - 1] === '/') this.#close()
  }

  #close(): void {
    if (this.#depth === 0) return
    if (this.#depth <= DEPTH_MAX) {
      const path = this.#paths.pop() as string // one was pushed for each level up to DEPTH_MAX
      this.#visitor.close(path, this.#leaf ? this.#value : '')
    }
    this.#depth--
    this.#leaf = false
  }

  #addText(start: number, end: number, entities: boolean): void {
    const room = VALUE_LENGTH_MAX - this.#value.length
    if (!this.#leaf || this.#depth > DEPTH_MAX || room <= 0) return
    const run = this.#text.slice(start, Math.min(end, start + room))
    this.#value += entities ? resolveEntities(run) : run
  }
}

/** The index after the next `mark`, or -1. */
function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found < 0 ? -1 : found + mark.length
}

/** The index after the `>` that ends a tag or a declaration, which may hold quoted text and, in a DOCTYPE,
 *  declarations of its own in brackets. */
function tagEnd(text: string, from: number): number {
  let brackets = 0
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (character === '>' && brackets <= 0) return at + 1
    if (character === '[') brackets++
    else if (character === ']') brackets--
    else if (character === '"' || character === "'") {
      at = text.indexOf(character, at + 1)
      if (at < 0) return -1
    }
  }
  return -1
}

function nameEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && !isSpace(text, at) && text[at] !== '/' && text[at] !== '>') at++
  return at
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpace(text, at)) at++
  return at
}

function isSpace(text: string, at: number): boolean {
  const character = text[at]
  return character === ' ' || character === '\n' || character === '\t' || character === '\r'
}

const ENTITY = /&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g
const PREDEFINED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function resolveEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(ENTITY, (whole, name?: string, decimal?: string, hex?: string) => {
    if (name !== undefined) return PREDEFINED[name] ?? whole
    const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? '', 16)
    const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
    return isCharacter ? String.fromCodePoint(code) : whole
  })
}
