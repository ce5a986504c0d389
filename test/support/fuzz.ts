/** How many times as many runs as in CI: `FUZZ_TIMES=100 npm run fuzz` for a night, which takes other inputs. */
const TIMES = Number(process.env.FUZZ_TIMES ?? 1)
/** Added to the seeds. */
const SHIFT = Number(process.env.FUZZ_SHIFT ?? (TIMES === 1 ? 0 : 1))

/** The parameters of a fuzzer for fast-check. */
export function fuzz(numRuns: number, seed: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: numRuns * TIMES, seed: seed + SHIFT }
}
