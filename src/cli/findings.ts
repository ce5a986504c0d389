import { stderr } from 'node:process'
import type { InputError } from '../core/input-error.ts'
import type { NamedPingLog } from '../files/ping.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { printable } from '../report/format.ts'
import type { MigrationReport } from '../report/model.ts'
import { notFoundText } from '../report/not-found.ts'

/** Names listed in one sentence. */
const NAMES_SHOWN = 5

/** What was wrong with the inputs, for standard error: of a few captures each finding, of many a summary. What could not be
 *  read is said in any case, and last. */
export class Findings {
  /** There are many captures. */
  summary = false
  readonly #errors: string[] = []
  /** First capture and number of captures by diagnostic. */
  readonly #warnings = new Map<string, { readonly text: string; captures: number }>()
  readonly #empty: string[] = []
  readonly #usedLogs = new Set<string>()
  migrations = 0

  /** Inputs that could not be used. */
  get errors(): number {
    return this.#errors.length
  }

  /** What could not be used, and why. */
  get failures(): readonly string[] {
    return this.#errors
  }

  failed(path: string, error: InputError): void {
    this.#errors.push(`${nameOf(error.input ?? path)} ${error.message}`)
  }

  /** Migrations that were found before all of their capture was read. */
  found(migrations: readonly MigrationReport[]): void {
    this.migrations += migrations.length
    for (const migration of migrations) this.#useLog(migration)
  }

  /** @param before migrations of it that were found before */
  analysed({ captures, migrations, traffic }: Analysis, before = 0): void {
    this.found(migrations)
    for (const capture of captures) {
      for (const { code, severity, message, count } of capture.diagnostics) {
        if (severity === 'info') continue
        const times = count > 1 ? ` (${count.toLocaleString('en-US')} times)` : ''
        const text = `${severity}: ${nameOf(capture.file)}: ${printable(message)}${times}`
        if (this.summary) this.#count(code, text)
        else say(text)
      }
      if (before + migrations.length > 0) continue
      if (this.summary) this.#empty.push(nameOf(capture.file))
      else say(`mig-phases: ${nameOf(capture.file)}: ${notFoundText(capture, traffic)}`)
    }
  }

  /** All inputs were seen. */
  end(pings: readonly NamedPingLog[]): void {
    for (const { text, captures } of this.#warnings.values())
      say(captures === 1 ? text : `${text}; the like in ${captures} captures`)
    if (this.#empty.length > 0)
      say(`mig-phases: no migration found in ${this.#empty.length} captures: ${listed(this.#empty)}`)
    this.#unusedLogs(pings)
    for (const error of this.#errors) say(`mig-phases: ${error}`)
  }

  #count(code: string, text: string): void {
    const known = this.#warnings.get(code)
    if (known === undefined) this.#warnings.set(code, { text, captures: 1 })
    else known.captures++
  }

  #useLog({ downtime }: MigrationReport): void {
    const log = downtime.icmp?.file ?? null
    if (log !== null) this.#usedLogs.add(log)
  }

  /** Logs that tell of no migration, or were read in part. */
  #unusedLogs(pings: readonly NamedPingLog[]): void {
    for (const name of new Set(pings.map((ping) => ping.name))) {
      if (pings.some((ping) => ping.name === name && ping.log.full))
        say(`warning: ${nameOf(name)}: too long: only its start was read`)
      if (this.#usedLogs.has(name)) continue
      say(
        `warning: ${nameOf(name)}: not used: it tells of no migration here (another guest, another time or clock, no replies on both sides of the move), or a capture tells as well`,
      )
    }
  }
}

function say(text: string): void {
  stderr.write(`${text}\n`)
}

function nameOf(path: string): string {
  return path === '-' ? 'standard input' : printable(path)
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN
  return `${names.slice(0, NAMES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
