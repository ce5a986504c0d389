import type { Argv } from 'yargs'
import { UsageError } from './usage-error.ts'

/** What `mig-phases redact CAPTURE -o FILE` is asked for. */
export interface RedactArguments {
  readonly command: 'redact'
  readonly capture: string
  readonly output: string
  /** Null: another one each time. */
  readonly key: string | null
  readonly keyFile: string | null
  /** Null: none. */
  readonly map: string | null
}

export function redactOptions<T>(parser: Argv<T>) {
  return parser
    .positional('capture', { type: 'string', demandOption: true, describe: 'a file, compressed or not' })
    .option('output', {
      alias: 'o',
      type: 'string',
      requiresArg: true,
      demandOption: true,
      describe: 'write the copy, a pcapng, to this file',
    })
    .option('key', {
      type: 'string',
      requiresArg: true,
      describe:
        'replace alike in all captures that are given the same key, of 16 characters or more (default: a new one each time)',
    })
    .option('key-file', {
      type: 'string',
      requiresArg: true,
      describe: 'the same, from a file, so that the key is not seen in the list of processes',
    })
    .option('map', {
      type: 'string',
      requiresArg: true,
      describe: 'write what stands for what to this file, for yourself: it undoes the redaction',
    })
    .example(
      '$0 redact trace.pcap -o share.pcapng',
      'for a bug report: no contents, names, addresses or secrets',
    )
    .example('$0 redact src.pcap -o s.pcapng --key-file k', 'one of several points of a run')
    .epilogue('Exit status: 0 written, 1 a file cannot be read or written, 2 wrong usage.')
}

interface RedactWords {
  readonly capture: string
  readonly output: string
  readonly key: string | undefined
  readonly keyFile: string | undefined
  readonly map: string | undefined
}

/** @throws UsageError */
export function readRedact({ capture, output, key, keyFile, map }: RedactWords): RedactArguments {
  if (output === '') throw new UsageError('--output needs a file name')
  if (map === '') throw new UsageError('--map needs a file name')
  if (output === map) throw new UsageError('--map and --output name the same file')
  if (key !== undefined && keyFile !== undefined)
    throw new UsageError('--key and --key-file exclude each other')
  if (capture === '-')
    throw new UsageError('redact reads its capture twice: save standard input to a file first')
  return { command: 'redact', capture, output, key: key ?? null, keyFile: keyFile ?? null, map: map ?? null }
}
