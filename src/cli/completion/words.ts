import type { ArgumentDescription, CommandDescription } from '../args/description.ts'

/** Options that all commands take. */
const EVERYWHERE: readonly ArgumentDescription[] = [
  ['help', 'h', 'show help'],
  ['version', null, 'show the version'],
].map(([name, letter, about]) => ({
  name: name as string,
  letter: letter as string | null,
  about: about as string,
  choices: null,
  list: null,
  kind: 'switch',
  value: null,
  repeats: false,
  required: false,
  default: null,
  group: null,
}))

export function optionsOf({ options }: CommandDescription): readonly ArgumentDescription[] {
  return [...options.flatMap((option) => [option, ...negated(option)]), ...EVERYWHERE]
}

/** A switch that is on may be turned off. */
function negated(option: ArgumentDescription): ArgumentDescription[] {
  const name = `no-${option.name}`
  return option.about.includes(`--${name}`)
    ? [{ ...option, name, letter: null, about: `no ${option.name}` }]
    : []
}

/** Whether a value is the name of a file, or begins with one. */
export function isFile({ value, choices }: ArgumentDescription): boolean {
  return choices === null && value?.startsWith('FILE') === true
}

/** How an option may be written. */
export function spellings({ name, letter }: ArgumentDescription): string[] {
  return letter === null ? [`--${name}`] : [`-${letter}`, `--${name}`]
}

/** A text in quotes of a shell, in which nothing has a meaning. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** A description for a line of a menu. */
export function short(about: string): string {
  const [sentence = ''] = about.split(/(?:\. |; |: | \()/)
  return sentence.length > 70 ? `${sentence.slice(0, 69)}…` : sentence
}
