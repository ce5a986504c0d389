import { InputError } from '../core/input-error.ts'
import { type Analysis, Analyzer, type RunFacts } from '../pipeline/analyzer.ts'
import { openSource, type Source } from './source.ts'

export interface Progress {
  /** Bytes of the input taken until now, before decompression. */
  readonly taken: number
  /** Bytes of the input; null for a pipe. */
  readonly size: number | null
  readonly packets: number
}

export interface AnalyzeFileOptions extends RunFacts {
  /** Called after each block. */
  readonly onProgress?: (progress: Progress) => void
}

/** Analyses a capture file, compressed with gzip, zstd or lz4 or not; `-` is standard input. A file whose packets turn out to be out of
 *  order is read once more from the start.
 *  @throws InputError when it cannot be read or is no capture */
export async function analyzeFile(path: string, options: AnalyzeFileOptions = {}): Promise<Analysis> {
  const source = await openSource(path)
  const { compression } = source
  const analyzer = new Analyzer({ ...options, name: path, compression })
  if (await feed(analyzer, source, options)) return endOf(analyzer, source)
  const again = await openSource(path)
  const ordering = new Analyzer({ ...options, name: path, compression, outOfOrder: true })
  await feed(ordering, again, options)
  return endOf(ordering, again)
}

/** Returns false where it left off, because the file had better be read once more. */
async function feed(analyzer: Analyzer, source: Source, options: AnalyzeFileOptions): Promise<boolean> {
  for await (const block of source.blocks) {
    // Buffers of Node are Uint8Arrays of another shape; one shape keeps the packet path monomorphic.
    const isPlain = block.constructor === Uint8Array
    analyzer.push(isPlain ? block : new Uint8Array(block.buffer, block.byteOffset, block.byteLength))
    if (analyzer.wantsAgain && source.again) return false
    options.onProgress?.({ taken: source.taken(), size: source.size, packets: analyzer.packets })
  }
  return true
}

/** The report, with what was wrong with the input itself.
 *  @throws InputError when that left nothing, or the bytes were those of no capture */
export function endOf(analyzer: Analyzer, source: Source): Analysis {
  const damage = source.damage()
  if (damage !== null && analyzer.packets === 0)
    throw new InputError(`holds no packet that could be read: ${damage}`)
  if (damage !== null) analyzer.report('file.damaged', `${damage}; what could be decompressed was read`)
  return analyzer.end()
}
