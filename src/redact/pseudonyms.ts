import { Addresses } from './addresses.ts'
import { Keyed } from './keyed.ts'
import { PATTERN, replaceIpv6Text } from './patterns.ts'
import { Uuids } from './uuids.ts'
import { isTerm, isTermToken } from './vocabulary.ts'
import { Words } from './words.ts'

/** What a text is:
 *  - `term`: a value out of a list of protocol words, a name of a field; words of the vocabulary stay
 *  - `prose`: a message or a path, in which such words stay unless they are known as names
 *  - `name`: a name of someone or something; nothing stays, and the names are known from then on
 *  - `text`: whatever else; nothing stays
 *  - `uri`: an address with a host in it
 *  - `secret`: filled up, so that not even two equal ones look alike */
export type Policy = 'term' | 'prose' | 'name' | 'text' | 'uri' | 'secret'

/** Names that are known; more are replaced where they stand as names only. */
const NAMES_MAX = 65_536
const NAME_LENGTH_MAX = 255

/** What was replaced, by kind. */
export interface Counts {
  addresses: number
  names: number
  identifiers: number
  secrets: number
}

const FILLER = 'x'

/** Replaces what texts say of people, machines and networks by something of the same length; the same by the same wherever it
 *  stands. Texts are strings of one character a byte, and so are the replacements. */
export class Pseudonyms {
  readonly addresses: Addresses
  readonly uuids: Uuids
  readonly words: Words
  /** Replacements that were made, those of the same counted each time. */
  readonly counts: Counts = { addresses: 0, names: 0, identifiers: 0, secrets: 0 }
  readonly #names: Set<string>

  /** @param names that an earlier look at the same capture has found, see `names` */
  constructor(key: Uint8Array, names: ReadonlySet<string> = new Set()) {
    const keyed = new Keyed(key)
    this.addresses = new Addresses(keyed)
    this.uuids = new Uuids(keyed)
    this.words = new Words(keyed, isTerm)
    this.#names = new Set(names)
  }

  /** The names that stood where names stand. */
  get names(): ReadonlySet<string> {
    return this.#names
  }

  replace(text: string, policy: Policy): string {
    switch (policy) {
      case 'secret':
        return this.#fill(text)
      case 'uri':
        return this.#uri(text)
      default:
        return this.#patterns(text, policy)
    }
  }

  #fill(text: string): string {
    if (text !== '') this.counts.secrets++
    return FILLER.repeat(text.length)
  }

  /** What has a form that tells what it is, wherever it stands. */
  #patterns(text: string, policy: Exclude<Policy, 'secret' | 'uri'>): string {
    let replaced = ''
    let done = 0
    for (const match of text.matchAll(PATTERN)) {
      const { index } = match
      const [whole] = match
      if (index > done) replaced += this.#plain(text.slice(done, index), policy)
      replaced += this.#pattern(whole, match.groups ?? {}, policy)
      done = index + whole.length
    }
    return done === 0 ? this.#plain(text, policy) : replaced + this.#plain(text.slice(done), policy)
  }

  #pattern(
    whole: string,
    { uuid, hex, mac, ipv4, ipv6 }: { readonly [name: string]: string | undefined },
    policy: Exclude<Policy, 'secret' | 'uri'>,
  ): string {
    if (uuid !== undefined || hex !== undefined) return this.#uuid(whole)
    if (mac !== undefined) return this.#mac(whole)
    if (ipv4 !== undefined) return this.#ipv4(whole)
    // A date stays.
    if (ipv6 === undefined) return whole
    const replaced = replaceIpv6Text(whole, (groups) => this.addresses.v6(groups))
    if (replaced === null) return this.#notIpv6(whole, policy)
    this.counts.addresses++
    return replaced
  }

  /** Something with colons, such as a time of day, which may end in an address. */
  #notIpv6(text: string, policy: Exclude<Policy, 'secret' | 'uri'>): string {
    const colon = text.lastIndexOf(':') + 1
    const end = text.slice(colon)
    const isMapped = /^::ffff:$/i.test(text.slice(0, colon))
    if (isMapped && end.includes('.')) return text.slice(0, colon) + this.#ipv4(end)
    return (
      this.#plain(text.slice(0, colon), policy) +
      (end.includes('.') ? this.#ipv4(end) : this.#plain(end, policy))
    )
  }

  /** Of a UUID, with or without what says that it is a request's. */
  #uuid(text: string): string {
    this.counts.identifiers++
    const prefix = text.startsWith('req-') ? 'req-' : ''
    const uuid = text.slice(prefix.length)
    const digits = this.uuids.replace(uuid.replaceAll('-', '').toLowerCase())
    let at = 0
    const replaced = uuid.replace(/[^-]/g, () => digits.charAt(at++))
    return prefix + (/[A-F]/.test(uuid) ? replaced.toUpperCase() : replaced)
  }

  #mac(text: string): string {
    this.counts.addresses++
    const separator = text.charAt(2)
    const octets = text.split(separator).map((octet) => Number.parseInt(octet, 16))
    const replaced = this.addresses
      .mac(octets)
      .map((octet) => octet.toString(16).padStart(2, '0'))
      .join(separator)
    return /[A-F]/.test(text) ? replaced.toUpperCase() : replaced
  }

  #ipv4(text: string): string {
    // The length of a prefix may follow.
    const [address = '', ...length] = text.split('/')
    const octets = address.split('.').map(Number)
    this.counts.addresses++
    return [this.addresses.v4(octets).join('.'), ...length].join('/')
  }

  /** @see RFC 3986 section 3; libvirt also writes `tcp:HOST:PORT` */
  #uri(text: string): string {
    const match = /^([A-Za-z][A-Za-z0-9+.-]*:)(\/\/)?([^@/?#]*@)?(\[[^\]]*\]|[^:/?#]*)(:\d+)?(.*)$/s.exec(
      text,
    )
    if (match === null) return this.#patterns(text, 'prose')
    const [, scheme = '', slashes = '', user = '', host = '', port = '', rest = ''] = match
    const colon = user.indexOf(':')
    const login = colon < 0 ? user : user.slice(0, colon)
    const password = colon < 0 ? '' : user.slice(colon + 1, -1)
    return (
      this.#patterns(scheme, 'term') +
      slashes +
      this.#patterns(login, 'name') +
      (colon < 0 ? '' : `:${this.#fill(password)}@`) +
      this.#patterns(host, 'name') +
      port +
      this.#patterns(rest, 'prose')
    )
  }

  #plain(text: string, policy: Exclude<Policy, 'secret' | 'uri'>): string {
    switch (policy) {
      case 'term':
        return text.replace(WORD, (word) => (isTerm(word) || /^\d+$/.test(word) ? word : this.#word(word)))
      case 'prose':
        return text.replace(TOKEN, (token) => this.#token(token))
      case 'name':
        for (const [token] of text.matchAll(TOKEN)) this.#learn(token)
        return text.replace(WORD, (word) => this.#word(word))
      case 'text':
        return text.replace(WORD, (word) => (LITERALS.has(word) ? word : this.#word(word)))
    }
  }

  /** Something without spaces in prose. */
  #token(token: string): string {
    if (this.#isName(token)) return token.replace(WORD, (word) => this.#word(word))
    if (NUMERIC.test(token) || isTermToken(token)) return token
    return token.replace(PART, (part) => {
      if (this.#names.has(part)) return part.replace(WORD, (word) => this.#word(word))
      return part.replace(WORD, (word) => (isTerm(word) ? word : this.#word(word)))
    })
  }

  #isName(token: string): boolean {
    return this.#names.size > 0 && this.#names.has(token)
  }

  #learn(token: string): void {
    if (token.length < 2 || token.length > NAME_LENGTH_MAX || this.#names.size >= NAMES_MAX) return
    // A number alone is no name that could be told from other numbers.
    if (!NUMERIC.test(token)) this.#names.add(token)
  }

  #word(word: string): string {
    this.counts.names++
    return this.words.replace(word)
  }
}

const WORD = /[A-Za-z0-9\x80-\xff]+/g
/** Words with what joins them to names: of hosts, of guests, of people. */
const TOKEN = /[A-Za-z0-9_\x80-\xff]+(?:[.@-][A-Za-z0-9_\x80-\xff]+)*/g
const PART = /[^.@]+/g
/** Numbers and versions. */
const NUMERIC = /^(?:0x[0-9a-f]{1,8}|v?\d+(?:[._-]\d+)*)$/i
const LITERALS: ReadonlySet<string> = new Set(['true', 'false', 'null', 'None', 'True', 'False'])
