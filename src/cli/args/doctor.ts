import { availableParallelism } from 'node:os'
import type { Argv } from 'yargs'
import { UsageError } from './usage-error.ts'

export const DOCTOR_FORMATS = ['table', 'json'] as const
export type DoctorFormat = (typeof DOCTOR_FORMATS)[number]

/** What `mig-phases doctor CAPTURE…` is asked for. */
export interface DoctorArguments {
  readonly command: 'doctor'
  readonly captures: readonly string[]
  readonly format: DoctorFormat
  /** Null: standard output. */
  readonly output: string | null
  /** Threads. */
  readonly jobs: number
  readonly progress: boolean
}

export function doctorOptions<T>(parser: Argv<T>) {
  return parser
    .positional('captures', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'files, folders, patterns, @LIST or -',
    })
    .option('format', {
      alias: 'f',
      requiresArg: true,
      choices: DOCTOR_FORMATS,
      default: 'table' as const,
      describe: 'table to read, json for one document',
    })
    .option('output', { alias: 'o', type: 'string', describe: 'write the findings to this file' })
    .option('jobs', {
      alias: 'j',
      type: 'number',
      requiresArg: true,
      default: availableParallelism(),
      defaultDescription: 'all cores',
      describe: 'captures that are read at once',
    })
    .option('progress', {
      type: 'boolean',
      default: true,
      describe: 'show a progress bar (--no-progress: none)',
    })
    .example('$0 doctor trial.pcap', 'before a series: what to change about how it is captured')
    .example('$0 doctor src.pcap controller.pcap', 'two points of one run: also what they are together')
    .example('$0 doctor runs/ -f json', 'which captures of a series are of use')
    .epilogue(
      'Exit status: 0 every capture is fit, by itself or with others of its run; 1 one is not or cannot be read; 2 wrong usage.',
    )
}

interface DoctorWords {
  readonly captures: readonly string[]
  readonly format: DoctorFormat
  readonly output: string | undefined
  readonly jobs: number
  readonly progress: boolean
}

/** @throws UsageError */
export function readDoctor(words: DoctorWords): DoctorArguments {
  const { captures, format, output, jobs, progress } = words
  if (captures.length === 0) throw new UsageError('no capture given')
  if (output === '') throw new UsageError('--output needs a file name')
  if (!Number.isInteger(jobs) || jobs < 1) throw new UsageError('--jobs takes a number from 1 on')
  return { command: 'doctor', captures, format, output: output ?? null, jobs, progress }
}
