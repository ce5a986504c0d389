import { open, readFile } from 'node:fs/promises'
import { InputError } from '../core/input-error.ts'
import { RedactedCopy } from '../redact/redacted-copy.ts'
import { checkFiles, pass, replaceByCopy } from './copy.ts'

export interface RedactOptions {
  /** Null: another one each time. */
  readonly key: string | null
  /** A file that holds the key. */
  readonly keyFile: string | null
  /** Where the replacements are listed; null: nowhere. */
  readonly map: string | null
}

export interface Redaction {
  readonly packets: number
  /** Bytes of the packets, and how many of them were kept, as they were or replaced. */
  readonly bytes: number
  readonly keptBytes: number
  /** Packets that were written before it was known what they hold: blank. */
  readonly undecidedPackets: number
  /** Different ones that were replaced. */
  readonly addresses: number
  readonly names: number
  readonly uuids: number
  /** Times that something secret was filled up. */
  readonly secrets: number
}

const RANDOM_KEY_SIZE = 32
/** Characters: who guesses the key can undo the replacements. */
export const KEY_SIZE_MIN = 16

/** Reads a capture, compressed or not, and writes a copy that says nothing of people, machines and guests.
 *  @throws InputError when it cannot be read twice, is no capture or the file to be written itself, when a file cannot be read or
 *  written, or the key is too short */
export async function redactFile(path: string, output: string, options: RedactOptions): Promise<Redaction> {
  await checkFiles(path, output)
  if (options.map !== null) await checkFiles(path, options.map)
  const key = await keyOf(options)
  // A name may stand in a message before it stands where it is known to be one.
  const names = await namesIn(path, key)
  const copy = await replaceByCopy(path, output, (sink) => new RedactedCopy({ key, names }, sink))
  if (options.map !== null) await writeMap(options.map, copy)
  return summaryOf(copy)
}

async function namesIn(path: string, key: Uint8Array): Promise<ReadonlySet<string>> {
  const reader = new RedactedCopy({ key }, null)
  await pass(path, reader, () => {})
  return reader.names
}

async function keyOf({ key, keyFile }: RedactOptions): Promise<Uint8Array> {
  if (keyFile !== null) return checked(await readKey(keyFile), keyFile)
  if (key !== null) return checked(new TextEncoder().encode(key), '--key')
  return crypto.getRandomValues(new Uint8Array(RANDOM_KEY_SIZE))
}

async function readKey(path: string): Promise<Uint8Array> {
  try {
    const text = await readFile(path, 'latin1')
    return Uint8Array.from(text.replace(/\r?\n$/, ''), (character) => character.charCodeAt(0))
  } catch (error) {
    throw new InputError(`cannot be read (${codeOf(error)}): it is to hold the key`, path)
  }
}

function checked(key: Uint8Array, where: string): Uint8Array {
  if (key.length >= KEY_SIZE_MIN) return key
  throw new InputError(
    `holds a key of ${key.length} characters: give at least ${KEY_SIZE_MIN}, for whoever guesses it can undo what was replaced`,
    where,
  )
}

/** A table with tabs, which nobody else may read. */
async function writeMap(path: string, copy: RedactedCopy): Promise<void> {
  try {
    const file = await open(path, 'w', 0o600)
    try {
      // A file that was there keeps its mode otherwise.
      await file.chmod(0o600)
      const lines = [...copy.replacements()].map(({ kind, from, to }) => `${kind}\t${from}\t${to}\n`)
      await file.writeFile(`kind\toriginal\treplacement\n${lines.join('')}`, 'latin1')
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new InputError(`cannot be written (${codeOf(error)}); the copy is there`, path)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

function summaryOf(copy: RedactedCopy): Redaction {
  const kinds = { ipv4: 0, ipv6: 0, mac: 0, uuid: 0, name: 0 }
  for (const { kind } of copy.replacements()) kinds[kind]++
  return {
    packets: copy.packets,
    bytes: copy.blanked.bytes,
    keptBytes: copy.blanked.keptBytes,
    undecidedPackets: copy.blanked.undecidedPackets,
    addresses: kinds.ipv4 + kinds.ipv6 + kinds.mac,
    names: kinds.name,
    uuids: kinds.uuid,
    secrets: copy.counts.secrets,
  }
}
