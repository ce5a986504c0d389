import type { Policy, Pseudonyms } from './pseudonyms.ts'
import { isTerm } from './vocabulary.ts'

/** JSON texts inside of JSON texts: an envelope, a message, a failure. */
const DEPTH_MAX = 8

type ValuePolicy = Policy | 'json' | 'name-or-event'

const SECRET = /pass|secret|credential|private|sasl|nonce|signature|cookie|otp\b|passcode/i

const POLICIES: ReadonlyMap<string, ValuePolicy> = new Map<string, ValuePolicy>([
  ...entries('term', [
    'action',
    'architecture',
    'binary',
    'cause',
    'class',
    'code',
    'event',
    'event_type',
    'hypervisor_type',
    'interface',
    'level',
    'method',
    'methods',
    'migration_type',
    'mode',
    'module',
    'network_type',
    'nova_object.changes',
    'nova_object.name',
    'nova_object.namespace',
    'nova_object.version',
    'objmethod',
    'objname',
    'os_type',
    'oslo.version',
    'OS-EXT-STS:task_state',
    'OS-EXT-STS:vm_state',
    'priority',
    'state',
    'status',
    'task_state',
    'topic',
    'type',
    'version',
    'versioned_object.changes',
    'versioned_object.name',
    'vif_type',
    'vm_mode',
    'vm_state',
    'vnic_type',
  ]),
  ...entries('prose', [
    '_reply_q',
    'block_migration',
    'description',
    'detail',
    'details',
    'fault',
    'message',
    'publisher_id',
    'reason',
    'request_spec',
    'title',
    'NeutronError',
  ]),
  ...entries('name', [
    'availability_zone',
    'dest',
    'dest_compute',
    'dest_host',
    'dest_node',
    'display_name',
    'domain_name',
    'host',
    'hostname',
    'hypervisor_hostname',
    'instance_name',
    'node',
    'project_domain_name',
    'project_name',
    'server_name',
    'source_compute',
    'source_node',
    'tenant',
    'tenant_name',
    'tenantName',
    'user',
    'user_domain_name',
    'user_name',
    'username',
    'OS-EXT-SRV-ATTR:host',
    'OS-EXT-SRV-ATTR:hostname',
    'OS-EXT-SRV-ATTR:hypervisor_hostname',
    'OS-EXT-SRV-ATTR:instance_name',
    'binding:host_id',
    'host_id',
    '_context_user_name',
    '_context_project_name',
  ]),
  ...entries('uri', ['href', 'url', 'publicURL', 'internalURL', 'adminURL']),
  ['name', 'name-or-event'],
  ['failure', 'json'],
  ['oslo.message', 'json'],
])

/** Names of events, which stand where names of people and machines stand elsewhere.
 *  @see nova objects/external_event.py, EVENT_NAMES */
const EVENTS: ReadonlySet<string> = new Set([
  'network-changed',
  'network-vif-plugged',
  'network-vif-unplugged',
  'network-vif-deleted',
  'volume-extended',
  'volume-reimaged',
  'power-update',
  'accelerator-request-bound',
])

function entries(policy: ValuePolicy, keys: readonly string[]): [string, ValuePolicy][] {
  return keys.map((key) => [key, policy])
}

/** Whether a text may be JSON of the kind that services send. */
export function looksLikeJson(text: string): boolean {
  return /^\s*[[{]/.test(text)
}

/** The JSON text with all that is no structure replaced: same length, same numbers, and strings by what their keys say they are.
 *  It may break off anywhere, or be no JSON at all. */
export function replaceInJson(text: string, pseudonyms: Pseudonyms, depth = 0): string {
  return new JsonReplacer(text, pseudonyms, depth).run()
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y
const LITERAL = /(?:true|false|null)(?!\w)/y
const SPACE = /\s*/y
const OTHER = /[^\s"{}[\],:]+/y

class JsonReplacer {
  readonly #text: string
  readonly #pseudonyms: Pseudonyms
  readonly #depth: number
  #at = 0
  /** The key of the value at hand, and those of the containers around it. */
  #key = ''
  readonly #keys: string[] = []

  constructor(text: string, pseudonyms: Pseudonyms, depth: number) {
    this.#text = text
    this.#pseudonyms = pseudonyms
    this.#depth = depth
  }

  run(): string {
    let replaced = ''
    while (this.#at < this.#text.length) replaced += this.#next()
    return replaced
  }

  #next(): string {
    const character = this.#text.charAt(this.#at)
    switch (character) {
      case '{':
      case '[':
        this.#keys.push(this.#key)
        break
      case '}':
      case ']':
        this.#key = this.#keys.pop() ?? ''
        break
      case '"':
        return this.#string()
      case ',':
      case ':':
        break
      default:
        return this.#match(SPACE) ?? this.#scalar()
    }
    this.#at++
    return character
  }

  /** Gives what matches here, unless that is nothing, and moves behind it. */
  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found === '' ? null : found
  }

  #scalar(): string {
    const literal = this.#match(LITERAL)
    if (literal !== null) return literal
    const number = this.#match(NUMBER)
    if (number !== null) return this.#number(number)
    return this.#pseudonyms.replace(this.#match(OTHER) ?? '', 'text')
  }

  /** Numbers of fields that are known stay. */
  #number(number: string): string {
    if (!SECRET.test(this.#key) && isKnownKey(this.#key)) return number
    const replaced = number.replace(/\d+/g, (digits) => this.#pseudonyms.words.replace(digits))
    // No number but zero begins with one.
    return replaced.replace(/^(-?)0(?=\d)/, (_, sign: string) => `${sign}1`)
  }

  #string(): string {
    const start = this.#at + 1
    let end = start
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1
    const isWhole = end < this.#text.length
    end = Math.min(end, this.#text.length)
    const raw = this.#text.slice(start, end)
    this.#at = isWhole ? end + 1 : end
    const isKey = isWhole && /^\s*:/.test(this.#text.slice(this.#at, this.#at + 8))
    const replaced = isKey ? this.#asKey(raw) : inside(raw, (text) => this.#value(text))
    return `"${replaced}${isWhole ? '"' : ''}`
  }

  #asKey(raw: string): string {
    this.#key = raw
    return inside(raw, (text) => this.#pseudonyms.replace(text, 'term'))
  }

  #value(text: string): string {
    if (SECRET.test(this.#key)) return this.#pseudonyms.replace(text, 'secret')
    // The context of a request has its fields with a prefix.
    const policy = POLICIES.get(this.#key) ?? POLICIES.get(this.#key.replace(/^_context_/, '')) ?? 'text'
    if (this.#depth < DEPTH_MAX && looksLikeJson(text))
      return replaceInJson(text, this.#pseudonyms, this.#depth + 1)
    if (policy === 'json') return this.#pseudonyms.replace(text, 'text')
    if (policy !== 'name-or-event') return this.#pseudonyms.replace(text, policy)
    return EVENTS.has(text) ? text : this.#pseudonyms.replace(text, 'name')
  }
}

function isKnownKey(key: string): boolean {
  return (key.match(/[A-Za-z0-9]+/g) ?? []).every((word) => isTerm(word))
}

/** Replaces in what a string literal means, and writes it with as many characters as before. */
function inside(raw: string, replace: (text: string) => string): string {
  if (!raw.includes('\\')) return replace(raw)
  const units = raw.match(/\\u[0-9A-Fa-f]{4}|\\[\s\S]|[\s\S]/g) ?? []
  const text = units.map(meaning).join('')
  const replaced = replace(text)
  return units.map((unit, i) => (replaced[i] === text[i] ? unit : written(replaced.charAt(i), unit))).join('')
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** One character for each unit; what is beyond one byte counts as a letter. */
function meaning(unit: string): string {
  if (unit.length === 1) return unit
  if (unit.length === 2) return ESCAPES[unit.charAt(1)] ?? unit.charAt(1)
  const code = Number.parseInt(unit.slice(2), 16)
  return String.fromCharCode(code > 0x7f ? 0xff : code)
}

/** What has an escape of two characters is no letter, and stays. */
function written(character: string, unit: string): string {
  if (unit.length === 6) return `\\u00${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  return unit.length === 1 ? character : unit
}
