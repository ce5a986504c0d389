/** For our own mistakes only; strange input is a Diagnostic. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`internal error: ${message}`)
}

/** Makes the compiler prove that a `switch` covers every case. */
export function assertNever(value: never): never {
  throw new Error(`internal error: unexpected ${JSON.stringify(value)}`)
}
