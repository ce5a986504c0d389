import { promises as fs } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { stdout } from 'node:process'
import { InputError } from '../core/input-error.ts'
import type { Palette } from '../report/terminal.ts'

/** Colours, for what a person looks at on a terminal. */
export async function palette(toTerminal: boolean): Promise<Palette> {
  const { default: colours } = await import('picocolors')
  const { bold, dim, green, red, yellow } = colours.createColors(toTerminal && colours.isColorSupported)
  return { bold, dim, good: green, bad: red, warn: yellow }
}

/** A file, or standard output for null and for a lone dash. The file is made when there is something to write. */
export class Destination {
  readonly #path: string | null
  readonly #append: boolean
  #file: FileHandle | null = null

  constructor(path: string | null, append = false) {
    this.#path = path === '-' ? null : path
    this.#append = append
  }

  /** What is given at once is written at once.
   *  @throws InputError when the file cannot be written */
  async write(text: string): Promise<void> {
    if (this.#path === null) {
      await new Promise<void>((resolve) => stdout.write(text, () => resolve()))
      return
    }
    try {
      this.#file ??= await fs.open(this.#path, this.#append ? 'a' : 'w')
      await this.#file.writeFile(text)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
      throw new InputError(
        `cannot be written (${code}): give --output a file in a folder that exists and is yours`,
      )
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = null
  }
}
