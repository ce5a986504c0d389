/** What the process's exit status says. @see the output contract, section 4. `interrupted` is what shells make of Ctrl-C. */
export const EXIT = {
  ok: 0,
  unreadable: 1,
  usage: 2,
  regression: 3,
  noMigration: 4,
  interrupted: 130,
} as const

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT]
