import { firstPacket, type JoinedMigration } from '../phases/join.ts'

/** Numbers migrations in order of their start, also where some are reported while others are under way: those that began
 *  before keep the lower numbers. One that shows late that it began earlier (its user's login comes first) gets the next. */
export class Numbers {
  #next = 0
  readonly #known = new WeakMap<object, number>()

  /** @param reported now, in order of their first packets @param held all that may be reported, in the same order */
  give(reported: readonly JoinedMigration[], held: readonly JoinedMigration[]): void {
    const last = reported.at(-1)
    if (last === undefined) return
    const until = firstPacket(last).packet
    for (const migration of held) {
      if (firstPacket(migration).packet > until) break
      if (this.#find(migration) !== undefined) continue
      for (const side of sidesOf(migration)) this.#known.set(side, this.#next)
      this.#next++
    }
  }

  of(migration: JoinedMigration): number {
    return this.#find(migration) ?? 0
  }

  /** The sides may have been taken for two migrations before it was known that they are one. */
  #find(migration: JoinedMigration): number | undefined {
    for (const side of sidesOf(migration)) {
      const number = this.#known.get(side)
      if (number !== undefined) return number
    }
    return undefined
  }
}

function sidesOf({ libvirt, nova }: JoinedMigration): object[] {
  return [libvirt, nova].filter((side) => side !== null)
}
