import { dirname, relative, resolve } from 'node:path'
import { FactorPattern } from '../stats/factors.ts'
import type { FoundCapture } from './find.ts'

/** Name of the factor that a folder stands for when nobody says what it means. */
const FOLDER_FACTOR = 'directory'

export interface FactorSources {
  /** See `FactorPattern`; null without one. */
  readonly pattern: string | null
  /** CSV file; null without one. */
  readonly manifest: string | null
}

/** Finds the levels of factors of each capture: from a manifest, from its path, or else from its folder. */
export class Factors {
  readonly #pattern: FactorPattern | null
  readonly #manifest: ReadonlyMap<string, Record<string, string>> | null
  /** Captures whose levels were not found. */
  readonly unknown: string[] = []

  private constructor(
    pattern: FactorPattern | null,
    manifest: ReadonlyMap<string, Record<string, string>> | null,
  ) {
    this.#pattern = pattern
    this.#manifest = manifest
  }

  /** @throws InputError when the pattern makes no sense or the manifest cannot be read */
  static async from({ pattern, manifest }: FactorSources): Promise<Factors> {
    return new Factors(
      pattern === null ? null : new FactorPattern(pattern),
      manifest === null ? null : await levelsOf(manifest),
    )
  }

  /** Captures that the manifest names. */
  get listed(): readonly string[] {
    return [...(this.#manifest?.keys() ?? [])]
  }

  of({ path, below }: FoundCapture): Record<string, string> {
    const listed = this.#manifest?.get(resolve(path)) ?? null
    const matched = this.#pattern?.match(path) ?? null
    const asked = this.#manifest !== null || this.#pattern !== null
    if (asked && listed === null && matched === null) this.unknown.push(path)
    if (asked) return { ...matched, ...listed }
    const folder = below === null ? '' : relative(below, dirname(path))
    return folder === '' ? {} : { [FOLDER_FACTOR]: folder.replaceAll('\\', '/') }
  }
}

/** Most runs come without a manifest, and do not load what reads one. */
async function levelsOf(manifest: string): Promise<Map<string, Record<string, string>>> {
  const { readManifest } = await import('./manifest.ts')
  return await readManifest(manifest)
}
