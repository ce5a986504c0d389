import type { Policy, Pseudonyms } from './pseudonyms.ts'

/** Elements whose text is a name, a path or something that a person wrote. */
const TEXTS: ReadonlyMap<string, Policy> = new Map<string, Policy>([
  ['name', 'name'],
  ['hostname', 'name'],
  ['title', 'name'],
  ['description', 'text'],
  ['kernel', 'text'],
  ['initrd', 'text'],
  ['cmdline', 'text'],
  ['nvram', 'text'],
  ['dtb', 'text'],
  ['entry', 'text'],
  ['serial', 'text'],
  ['wwn', 'text'],
  ['label', 'text'],
  ['imagelabel', 'text'],
  ['baselabel', 'text'],
  ['password', 'secret'],
  ['secret', 'secret'],
])

/** Elements of which every attribute may name something of the user's. */
const OWN: ReadonlySet<string> = new Set([
  'source',
  'host',
  'arg',
  'env',
  'parameters',
  'filterref',
  'group',
  'auth',
  'secret',
])
/** Attributes of those that do not. */
const HARMLESS: ReadonlySet<string> = new Set([
  'mode',
  'index',
  'startupPolicy',
  'port',
  'type',
  'protocol',
  'transport',
])
/** Elements whose attribute `name` is out of a list of libvirt's. */
const LISTED: ReadonlySet<string> = new Set([
  'feature',
  'cap',
  'alias',
  'model',
  'timer',
  'driver',
  'property',
  'cache',
  'hyperv',
  'quirk',
])
const SECRET_ATTRIBUTE = /passw|secret|key/i
const PATH_ATTRIBUTE: ReadonlySet<string> = new Set([
  'file',
  'path',
  'dir',
  'socket',
  'volume',
  'pool',
  'bridge',
  'network',
  'username',
  'listen',
])
const TERM_ATTRIBUTE: ReadonlySet<string> = new Set([
  'machine',
  'arch',
  'model',
  'type',
  'bus',
  'dev',
  'fallback',
])
/** What below it is written by whoever made the guest. */
const METADATA = 'metadata'

const ENTITY = /&(?:lt|gt|amp|quot|apos|#\d+|#x[0-9A-Fa-f]+);/g
const NAME = /[^\s/>=]*/y
const ATTRIBUTE = /(\s+)([^\s=/>]+)(\s*=\s*)(?:"([^"]*)("?)|'([^']*)('?))/y

/** The XML with all that is no structure replaced: same length, elements, attributes and numbers. It may break off anywhere. */
export function replaceInXml(text: string, pseudonyms: Pseudonyms): string {
  return new XmlReplacer(text, pseudonyms).run()
}

class XmlReplacer {
  readonly #text: string
  readonly #pseudonyms: Pseudonyms
  readonly #open: string[] = []
  #at = 0

  constructor(text: string, pseudonyms: Pseudonyms) {
    this.#text = text
    this.#pseudonyms = pseudonyms
  }

  run(): string {
    let replaced = ''
    while (this.#at < this.#text.length) replaced += this.#next()
    return replaced
  }

  #next(): string {
    const text = this.#text
    if (text[this.#at] !== '<') return this.#content(this.#until('<', 0))
    if (text.startsWith('<!--', this.#at)) return this.#framed('<!--', '-->')
    if (text.startsWith('<![CDATA[', this.#at)) return this.#framed('<![CDATA[', ']]>')
    if (text.startsWith('<?', this.#at)) return this.#pseudonyms.replace(this.#until('?>', 2), 'prose')
    if (text.startsWith('</', this.#at)) return this.#close()
    return this.#tag()
  }

  /** Up to the mark, with it or without, or to the end. */
  #until(mark: string, size: number): string {
    const found = this.#text.indexOf(mark, this.#at)
    const end = found < 0 ? this.#text.length : found + size
    const part = this.#text.slice(this.#at, end)
    this.#at = end
    return part
  }

  #framed(start: string, end: string): string {
    const whole = this.#until(end, end.length)
    const isWhole = whole.length >= start.length + end.length && whole.endsWith(end)
    const inner = whole.slice(start.length, isWhole ? -end.length : undefined)
    return start + this.#pseudonyms.replace(inner, 'text') + (isWhole ? end : '')
  }

  #close(): string {
    const tag = this.#until('>', 1)
    this.#open.pop()
    return this.#pseudonyms.replace(tag, 'term')
  }

  #tag(): string {
    this.#at++
    const name = this.#match(NAME) ?? ''
    let replaced = `<${this.#pseudonyms.replace(name, 'term')}`
    this.#open.push(localName(name))
    for (;;) {
      ATTRIBUTE.lastIndex = this.#at
      const attribute = ATTRIBUTE.exec(this.#text)
      if (attribute === null) break
      this.#at += attribute[0].length
      replaced += this.#attribute(localName(name), attribute)
    }
    // What is left of the tag is its end, or makes no sense.
    const end = this.#until('>', 1)
    if (end.trimEnd().endsWith('/>')) this.#open.pop()
    return replaced + this.#pseudonyms.replace(end, 'text')
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? null
    this.#at += found?.length ?? 0
    return found
  }

  #attribute(element: string, parts: RegExpExecArray): string {
    const [, space = '', name = '', equals = '', double, endDouble = '', single = '', endSingle = ''] = parts
    const quote = double === undefined ? "'" : '"'
    const value = this.#withEntities(double ?? single, this.#attributePolicy(element, name))
    const end = double === undefined ? endSingle : endDouble
    return space + this.#pseudonyms.replace(name, 'term') + equals + quote + value + end
  }

  #attributePolicy(element: string, name: string): Policy {
    if (SECRET_ATTRIBUTE.test(name)) return 'secret'
    if (name.startsWith('xmlns')) return 'prose'
    if (this.#open.includes(METADATA)) return 'text'
    if (TERM_ATTRIBUTE.has(name) && !OWN.has(element)) return 'term'
    if (name === 'name') return LISTED.has(element) ? 'prose' : 'name'
    if (PATH_ATTRIBUTE.has(name)) return 'text'
    return OWN.has(element) && !HARMLESS.has(name) ? 'text' : 'prose'
  }

  #content(text: string): string {
    const element = this.#open.at(-1) ?? ''
    // Within metadata, names are those that the cloud has given.
    const policy = TEXTS.get(element) ?? (this.#open.includes(METADATA) ? 'text' : 'prose')
    return this.#withEntities(text, policy)
  }

  /** Entities stand for characters: those that have a name are no letters. */
  #withEntities(text: string, policy: Policy): string {
    if (!text.includes('&')) return this.#pseudonyms.replace(text, policy)
    let replaced = ''
    let done = 0
    for (const match of text.matchAll(ENTITY)) {
      replaced += this.#pseudonyms.replace(text.slice(done, match.index), policy) + sameEntity(match[0])
      done = match.index + match[0].length
    }
    return replaced + this.#pseudonyms.replace(text.slice(done), policy)
  }
}

/** A number stands for any character: it becomes the letter x, or a tab where that does not fit. */
function sameEntity(entity: string): string {
  const digits = /^&#(x?)([0-9A-Fa-f]+);$/.exec(entity)
  if (digits === null) return entity
  const [, hex = '', number = ''] = digits
  const code = hex === 'x' ? (number.length > 1 ? '78' : '9') : (['', '9', '88'][number.length] ?? '120')
  return `&#${hex}${code.padStart(number.length, '0')};`
}

/** Without a prefix. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
