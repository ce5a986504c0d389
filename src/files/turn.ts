/** Lets timers, signals and messages have their turn. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
