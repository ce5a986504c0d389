import { promises as fs, type Stats, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { sniff } from '../capture/magic.ts'
import { InputError } from '../core/input-error.ts'
import { startOf } from './source.ts'

/** A capture of a batch. */
export interface FoundCapture {
  readonly path: string
  /** Folder that was given; null for a file. */
  readonly below: string | null
}

/** The captures that a word of the command line names: a file; every capture below a directory, told by its first bytes; the
 *  files that a pattern with `*`, `?`, `[…]` or `{…}` fits; or those listed in a file, a line each, for `@FILE`. In the order of
 *  their names; a list keeps its own.
 *  @throws InputError when it names none */
export async function findCaptures(word: string): Promise<FoundCapture[]> {
  if (word === '-') return [{ path: word, below: null }]
  const found = statOf(word)
  if (found?.isDirectory() === true) return await capturesBelow(word)
  if (found === null && word.startsWith('@')) return await listedCaptures(word.slice(1))
  if (found === null && /[*?[{]/.test(word)) return await matchingCaptures(word)
  // What does not exist is reported when it is opened.
  return [{ path: word, below: null }]
}

async function capturesBelow(folder: string): Promise<FoundCapture[]> {
  const captures: string[] = []
  let files = 0
  for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    files++
    const file = join(entry.parentPath, entry.name)
    if (isCapture(file)) captures.push(file)
  }
  if (captures.length === 0)
    throw new InputError(
      `is a directory without captures (${files} other files in it): give the folder that holds pcap, pcapng or DPMI files`,
    )
  return captures.sort().map((path) => ({ path, below: folder }))
}

async function matchingCaptures(pattern: string): Promise<FoundCapture[]> {
  const { glob } = await import('tinyglobby')
  const paths = await glob(pattern, { absolute: isAbsolute(pattern), expandDirectories: false })
  if (paths.length === 0) throw new InputError('is a pattern that fits no file')
  return paths.sort().map((path) => ({ path, below: null }))
}

async function listedCaptures(list: string): Promise<FoundCapture[]> {
  const text = await fs.readFile(list, 'utf8').catch(() => null)
  if (text === null) throw new InputError('is a list that cannot be read', `@${list}`)
  const paths = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (paths.length === 0) throw new InputError('is a list without file names: one a line', `@${list}`)
  return paths.map((path) => ({ path, below: null }))
}

/** Null when there is nothing, or nothing that may be looked at. */
function statOf(path: string): Stats | null {
  try {
    return statSync(path)
  } catch {
    return null
  }
}

/** A compressed file may be anything: in a directory only those count whose name says that a capture is inside. */
function isCapture(path: string): boolean {
  let start: Uint8Array
  try {
    start = startOf(path)
  } catch {
    return false
  }
  const { kind } = sniff(start)
  return kind === 'capture' || (kind === 'compressed' && /\.(pcap|pcapng|cap)\.[a-z0-9]+$/i.test(path))
}
