/** What the process's exit status says. @see the output contract, section 4 */
export const EXIT = { ok: 0, unreadable: 1, usage: 2, regression: 3, noMigration: 4 } as const

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT]
