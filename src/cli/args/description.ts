import type { Argv, Options, PositionalOptions } from 'yargs'
import { parseOptions } from './options.ts'
import { METRIC_IDS, TABLES } from './shared.ts'

/** An option, or a word of the command line. */
export interface ArgumentDescription {
  /** Without dashes. */
  readonly name: string
  /** One letter; null without one. */
  readonly letter: string | null
  readonly about: string
  /** What may be given; null where that is anything. */
  readonly choices: readonly string[] | null
  /** What may be given, any number of them with commas between; null for a single value. */
  readonly list: readonly string[] | null
  readonly kind: 'switch' | 'number' | 'text'
  /** What help calls its value: `FILE`, and others for what is no file; null for a switch. */
  readonly value: string | null
  readonly repeats: boolean
  readonly required: boolean
  /** In words; null where there is none, or none that says anything. */
  readonly default: string | null
  /** Heading under which help shows it; null: with all others. */
  readonly group: string | null
}

export interface CommandDescription {
  /** Null: captures without a command. */
  readonly name: string | null
  /** Its words, as `<results..>` for some and `[phase]` for what may be left out. */
  readonly usage: string
  readonly about: string
  readonly words: readonly ArgumentDescription[]
  readonly options: readonly ArgumentDescription[]
  readonly examples: readonly { readonly command: string; readonly about: string }[]
  /** What help says last. */
  readonly epilogue: string | null
}

/** All that the command line takes, as it is told to the parser: help, completion and manual say the same. */
export async function describeProgram(): Promise<readonly CommandDescription[]> {
  const recorder = new ProgramRecorder()
  // It answers to all that is said to a parser.
  await parseOptions([], recorder as unknown as Argv)
  return recorder.commands
}

/** Options whose values are put together with commas. */
const LISTS: Readonly<Record<string, readonly string[]>> = { tables: TABLES, metrics: METRIC_IDS }

/** Values that are neither numbers nor files. */
const VALUES: Readonly<Record<string, string>> = {
  tables: 'NAME,…',
  metrics: 'NAME,…',
  factors: 'PATTERN',
  'group-by': 'FACTOR,…',
  filter: 'FACTOR=LEVEL',
  'fail-if': 'CONDITION',
  'clock-offset': 'FILE=SECONDS',
  'downtime-limit': 'MS',
  format: 'FORMAT',
}

/** Stands in for a parser of the whole command line. */
class ProgramRecorder {
  readonly commands: CommandDescription[] = []

  command(usage: string, about: string, builder: (parser: Argv) => unknown): this {
    const recorder = new CommandRecorder()
    builder(recorder as unknown as Argv)
    const [first = '', ...words] = usage.split(' ')
    this.commands.push({
      name: first === '$0' ? null : first,
      usage: words.join(' '),
      about,
      words: recorder.words,
      options: recorder.options,
      examples: recorder.examples,
      epilogue: recorder.ending,
    })
    return this
  }

  /** What the rest asks of a parser means nothing here. */
  scriptName(): this {
    return this
  }
  middleware(): this {
    return this
  }
  version(): this {
    return this
  }
  alias(): this {
    return this
  }
  wrap(): this {
    return this
  }
  strictOptions(): this {
    return this
  }
  exitProcess(): this {
    return this
  }
  fail(): this {
    return this
  }

  async parseAsync(): Promise<void> {}
}

/** The same for one command. */
class CommandRecorder {
  readonly words: ArgumentDescription[] = []
  readonly options: ArgumentDescription[] = []
  readonly examples: { readonly command: string; readonly about: string }[] = []
  ending: string | null = null

  epilogue(text: string): this {
    this.ending = text
    return this
  }

  /** Only puts options in order. */
  group(): this {
    return this
  }

  positional(name: string, options: PositionalOptions): this {
    this.words.push(describe(name, options))
    return this
  }

  option(name: string, options: Options): this {
    this.options.push(describe(name, options))
    return this
  }

  example(command: string, about: string): this {
    this.examples.push({ command: command.replaceAll('$0', 'mig-phases'), about })
    return this
  }
}

function describe(name: string, options: Options | PositionalOptions): ArgumentDescription {
  const { alias, choices, type, array, demandOption, describe: about } = options
  const kind = type === 'boolean' ? 'switch' : type === 'number' ? 'number' : 'text'
  return {
    name,
    letter: typeof alias === 'string' && alias.length === 1 ? alias : null,
    about: about ?? '',
    choices: choices === undefined ? null : choices.map(String),
    list: LISTS[name] ?? null,
    kind,
    value: kind === 'switch' ? null : (VALUES[name] ?? (kind === 'number' ? 'NUMBER' : 'FILE')),
    repeats: array === true,
    required: demandOption === true,
    default: defaultText(options),
    group: 'group' in options ? (options.group?.replace(/:$/, '') ?? null) : null,
  }
}

function defaultText(options: Options | PositionalOptions): string | null {
  const { default: value } = options
  const defaultDescription = 'defaultDescription' in options ? options.defaultDescription : undefined
  if (defaultDescription !== undefined) return defaultDescription === 'none' ? null : defaultDescription
  const silent = value === undefined || typeof value === 'boolean' || Array.isArray(value)
  return silent ? null : String(value)
}
