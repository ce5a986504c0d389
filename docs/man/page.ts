import type { ArgumentDescription, CommandDescription } from '../../src/cli/args/description.ts'
import { VERSION } from '../../src/core/version.ts'

const SUMMARY = 'phases of VM live migrations from packet captures'

const DESCRIPTION = [
  'Reads packet captures of live migrations of virtual machines (KVM with libvirt, alone or run by OpenStack) and answers from the packets: which guest moved from where to where, how it ended, how long each phase took, and which packets prove every boundary.',
  'Give it captures that were written by tcpdump, dumpcap, Wireshark or DPMI, or a capture that is still being written on standard input: then a line on the terminal shows how things stand, and each migration is reported when it is over. Ctrl-C, or the end of the input, ends that with what is known by then; a second Ctrl-C ends it at once.',
  'The report goes to standard output, diagnostics to standard error. What is unknown is a dash, an empty cell or null, with the reason; never 0.',
]

const STATUSES: readonly [string, string][] = [
  ['0', 'All inputs were read and at least one migration was found.'],
  [
    '1',
    'An input could not be read or analysed; the others were. For doctor: a capture is not fit, nor is it with others of its run.',
  ],
  ['2', 'The command line makes no sense.'],
  ['3', 'A comparison found the change that --fail-if names.'],
  ['4', 'All inputs were read and none holds a migration.'],
  ['130', 'A batch was ended by Ctrl-C; what was done by then is reported.'],
]

const ENVIRONMENT: readonly [string, string][] = [
  ['NO_COLOR', 'If set, there are no colours.'],
  ['SHELL', 'The shell that completion is written for where none is named.'],
]

const FILES: readonly [string, string][] = [
  [
    'RESULTS.ndjson',
    'One migration a line, as --format ndjson and --resume write it and stats and compare read it.',
  ],
  ['@FILE', 'A list of captures, a line each; lines that begin with # say nothing.'],
]

/** The manual page, of what the parser of options is told. */
export function renderPage(commands: readonly CommandDescription[]): string {
  const [main, ...others] = commands
  if (main === undefined) throw new Error('there is no command')
  return `${[
    `.\\" Made by npm run golden: change docs/man/page.ts, or the options themselves.`,
    `.TH MIG\\-PHASES 1 "" "mig\\-phases ${VERSION}" "User Commands"`,
    '.SH NAME',
    `mig\\-phases \\- ${text(SUMMARY)}`,
    '.SH SYNOPSIS',
    ...commands.flatMap((command, index) => [...(index > 0 ? ['.br'] : []), synopsis(command)]),
    '.SH DESCRIPTION',
    ...DESCRIPTION.flatMap((paragraph, index) => [...(index > 0 ? ['.PP'] : []), text(paragraph)]),
    '.SH COMMANDS',
    ...others.flatMap(commandParts),
    '.SH OPTIONS',
    text('Without a command, and for captures:'),
    ...main.words.flatMap(wordParts),
    ...main.options.flatMap(optionParts),
    ...general(),
    '.SH EXIT STATUS',
    ...STATUSES.flatMap(([status, meaning]) => ['.TP', bold(status), text(meaning)]),
    '.SH EXAMPLES',
    ...commands
      .flatMap(({ examples }) => examples)
      .flatMap(({ command, about }) => ['.TP', bold(command), text(sentence(about))]),
    '.SH FILES',
    ...FILES.flatMap(([name, meaning]) => ['.TP', italic(name), text(meaning)]),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, meaning]) => ['.TP', bold(name), text(meaning)]),
    '.SH SEE ALSO',
    '.BR tcpdump (8),',
    '.BR dumpcap (1),',
    '.BR wireshark (1),',
    '.BR virsh (1)',
  ].join('\n')}\n`
}

function synopsis({ name, usage }: CommandDescription): string {
  const words = usage.split(' ').map((word) => text(word.replace('..', '…').replace(/^<(.*)>/, '$1')))
  const command = name === null ? '' : ` ${text(name)}`
  return `.B mig\\-phases${command}\n[\\fIOPTION\\fR]\\[u2026] ${words.join(' ')}`
}

function commandParts(command: CommandDescription): string[] {
  return [
    `.SS ${text(`${command.name} ${command.usage.replaceAll('..', '…')}`)}`,
    text(sentence(command.about)),
    ...command.words.flatMap(wordParts),
    ...command.options.flatMap(optionParts),
    ...(command.epilogue === null ? [] : ['.PP', text(command.epilogue)]),
  ]
}

function wordParts(word: ArgumentDescription): string[] {
  const { name, choices, about } = word
  const told = choices === null ? about : `${about}: ${choices.join(', ')}`
  return ['.TP', italic(name), text(meaningOf({ ...word, about: told }))]
}

function optionParts(option: ArgumentDescription): string[] {
  const { name, letter, value, choices } = option
  const names = [...(letter === null ? [] : [`-${letter}`]), `--${name}`].map(bold)
  const takes = choices === null ? value : choices.join('|')
  return ['.TP', `${names.join(', ')}${takes === null ? '' : ` ${italic(takes)}`}`, text(meaningOf(option))]
}

function meaningOf({ about, default: value, repeats, required }: ArgumentDescription): string {
  const facts = [
    required ? 'required' : null,
    repeats && !about.includes('repeatable') && !required ? 'repeatable' : null,
    value === null ? null : `default: ${value}`,
  ].filter((fact) => fact !== null)
  return sentence(`${about}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`)
}

function general(): string[] {
  return [
    '.TP',
    `${bold('-h')}, ${bold('--help')}`,
    text('Shows help; behind a command, that of the command.'),
    '.TP',
    bold('--version'),
    'Shows the version.',
  ]
}

function sentence(about: string): string {
  const ended = /[.)]$/.test(about) && !about.endsWith(')') ? about : `${about}.`
  return `${ended.charAt(0).toUpperCase()}${ended.slice(1)}`
}

const bold = (content: string): string => `\\fB${text(content)}\\fR`
const italic = (content: string): string => `\\fI${text(content)}\\fR`

/** Text in which nothing has a meaning: hyphens are those that can be searched and pasted, as option names need them. */
function text(content: string): string {
  return content
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/^\./, '\\&.')
    .replace(/\P{ASCII}/gu, (character) => {
      const code = character.codePointAt(0) ?? 0
      return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`
    })
}
