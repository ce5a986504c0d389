import type { Pseudonyms } from './pseudonyms.ts'
import { isTerm } from './vocabulary.ts'

/** Headers whose values say nothing of anybody, or only by words that are known. */
const HARMLESS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'age',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'expect',
  'expires',
  'keep-alive',
  'last-modified',
  'openstack-api-version',
  'server',
  'te',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'vary',
  'via',
  'x-openstack-nova-api-version',
  'x-openstack-request-id',
  'x-compute-request-id',
])

const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-type',
  'transfer-encoding',
])

const SECRET = /^(?:authorization|proxy-authorization|cookie|set-cookie|www-authenticate)$/

/** A request or status line. Lines are strings of one character a byte, without their end. */
export function replaceInStartLine(line: string, pseudonyms: Pseudonyms): string {
  const status = /^(HTTP\/1\.\d \d{3})(.*)$/s.exec(line)
  if (status !== null) return status[1] + pseudonyms.replace(status[2] ?? '', 'prose')
  const request = /^([A-Z]+ )(\S+)( HTTP\/1\.\d\r?)$/.exec(line)
  if (request === null) return pseudonyms.replace(line, 'text')
  return (request[1] ?? '') + replaceInTarget(request[2] ?? '', pseudonyms) + (request[3] ?? '')
}

export function replaceInHeader(line: string, pseudonyms: Pseudonyms): string {
  const header = /^([^\s:]+)(:\s*)(.*)$/s.exec(line)
  // A line that goes on with the one before.
  if (header === null) return pseudonyms.replace(line, 'text')
  const [, name = '', colon = '', value = ''] = header
  return pseudonyms.replace(name, 'term') + colon + replaceValue(name.toLowerCase(), value, pseudonyms)
}

function replaceValue(name: string, value: string, pseudonyms: Pseudonyms): string {
  const text = value.trimEnd()
  const end = value.slice(text.length)
  if (SECRET.test(name)) return pseudonyms.replace(text, 'secret') + end
  if (name === 'host') {
    const [, host = '', port = ''] = /^(.*?)(:\d+)?$/s.exec(text) ?? []
    return pseudonyms.replace(host, 'name') + port + end
  }
  if (name === 'location' || name === 'content-location' || name === 'referer')
    return replaceInTarget(text, pseudonyms) + end
  // The days and months of a date are no names.
  if (name === 'date' || name === 'expires' || name === 'last-modified')
    return (
      (/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]+ GMT$/.test(text)
        ? text
        : pseudonyms.replace(text, 'text')) + end
    )
  // What tells how to read a message is out of a list, whatever names there are.
  if (FRAMING.has(name)) return pseudonyms.replace(text, 'term') + end
  return pseudonyms.replace(text, HARMLESS.has(name) ? 'prose' : 'text') + end
}

/** What a request asks for: the words of paths that services have stay, and so do versions. */
export function replaceInTarget(target: string, pseudonyms: Pseudonyms): string {
  const absolute = /^([A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*)(.*)$/s.exec(target)
  if (absolute !== null)
    return pseudonyms.replace(absolute[1] ?? '', 'uri') + replaceInTarget(absolute[2] ?? '', pseudonyms)
  const query = target.search(/[?#]/)
  const path = query < 0 ? target : target.slice(0, query)
  const parameters = query < 0 ? '' : target.slice(query)
  return replaceInPath(path, pseudonyms) + replaceInQuery(parameters, pseudonyms)
}

function replaceInPath(path: string, pseudonyms: Pseudonyms): string {
  let before = ''
  return path.replace(/[^/]+/g, (segment) => {
    // Whatever it is called: behind this word stands a host, behind that a token.
    const isName = before === 'bindings'
    const isSecret = before === 'tokens'
    before = segment
    if (!isName && !isSecret && isKnown(segment)) return segment
    return escaped(segment, (text) => pseudonyms.replace(text, isName ? 'name' : 'text'))
  })
}

function replaceInQuery(query: string, pseudonyms: Pseudonyms): string {
  return query.replace(/([?&#;])([^=&#;]*)(=?)([^&#;]*)/g, (_, mark, key, equals, value) => {
    const secret = /token|pass|secret|sig/i.test(key)
    const name = escaped(key, (text) => pseudonyms.replace(text, 'term'))
    const plain = /^(?:true|false|\d{1,6})$/i.test(value) && !secret
    return mark + name + equals + (plain ? value : escaped(value, (text) => pseudonyms.replace(text, 'text')))
  })
}

function isKnown(segment: string): boolean {
  if (/^v?\d+(?:\.\d+)*$/.test(segment)) return true
  return (segment.match(/[^.\-_~:]+/g) ?? []).every((word) => isTerm(word))
}

/** What is escaped stands for a character: punctuation stays, all else becomes the letter x. */
function escaped(text: string, replace: (text: string) => string): string {
  return text.replace(/(%[0-9A-Fa-f]{2})|[^%]+|%/g, (part, code: string | undefined) => {
    if (code === undefined) return replace(part)
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return /[A-Za-z0-9\x80-\xff]/.test(character) ? '%78' : code
  })
}
