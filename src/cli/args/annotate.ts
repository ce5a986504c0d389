import type { Argv } from 'yargs'
import { UsageError } from './usage-error.ts'

/** What `mig-phases annotate CAPTURE -o FILE` is asked for. */
export interface AnnotateArguments {
  readonly command: 'annotate'
  readonly capture: string
  readonly output: string
  readonly onlyMarkers: boolean
}

export function annotateOptions<T>(parser: Argv<T>) {
  return parser
    .positional('capture', { type: 'string', demandOption: true, describe: 'a file, compressed or not' })
    .option('output', {
      alias: 'o',
      type: 'string',
      requiresArg: true,
      demandOption: true,
      describe: 'write the pcapng to this file',
    })
    .option('only-markers', {
      type: 'boolean',
      default: false,
      describe: 'only the packets with comments, which then name the number of the packet in the capture',
    })
    .example('$0 annotate trace.pcap -o marked.pcapng', 'for Wireshark: filter by frame.comment')
    .epilogue(
      'Exit status: 0 written, 1 a file cannot be read or written, 2 wrong usage, 4 no migration found.',
    )
}

interface AnnotateWords {
  readonly capture: string
  readonly output: string
  readonly onlyMarkers: boolean
}

/** @throws UsageError */
export function readAnnotate({ capture, output, onlyMarkers }: AnnotateWords): AnnotateArguments {
  if (output === '') throw new UsageError('--output needs a file name')
  if (capture === '-')
    throw new UsageError('annotate reads its capture twice: save standard input to a file first')
  return { command: 'annotate', capture, output, onlyMarkers }
}
