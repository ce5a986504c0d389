import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MAGIC_SIZE, sniff } from '../capture/magic.ts'
import { InputError } from '../core/input-error.ts'

/** The captures that a path names: the file itself, or every capture below a directory, told by its first bytes and in
 *  the order of their names.
 *  @throws InputError for a directory without captures */
export async function findCaptures(path: string): Promise<string[]> {
  if (path === '-') return [path]
  const found = await stat(path).catch(() => null)
  // What does not exist is reported when it is opened.
  if (found === null || !found.isDirectory()) return [path]
  const captures: string[] = []
  let files = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    files++
    const file = join(entry.parentPath, entry.name)
    if (await isCapture(file)) captures.push(file)
  }
  if (captures.length === 0)
    throw new InputError(
      `is a directory without captures (${files} other files in it): give the folder that holds pcap, pcapng or DPMI files`,
    )
  return captures.sort()
}

/** A compressed file may be anything: in a directory only those count whose name says that a capture is inside. */
async function isCapture(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null)
  if (file === null) return false
  try {
    const start = new Uint8Array(MAGIC_SIZE)
    const { bytesRead } = await file.read(start, 0, MAGIC_SIZE)
    const kind = sniff(start.subarray(0, bytesRead)).kind
    return kind === 'capture' || (kind === 'compressed' && /\.(pcap|pcapng|cap)\.[a-z0-9]+$/i.test(path))
  } finally {
    await file.close()
  }
}
