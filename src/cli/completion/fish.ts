import type { ArgumentDescription, CommandDescription } from '../args/description.ts'
import { isFile, optionsOf, short } from './words.ts'

export function renderFish(commands: readonly CommandDescription[]): string {
  const named = commands.filter(({ name }) => name !== null)
  const names = named.map(({ name }) => name).join(' ')
  const without = `not __fish_seen_subcommand_from ${names}`
  return `# Completion of mig-phases for fish: mig-phases completion fish > ~/.config/fish/completions/mig-phases.fish

${named.map(({ name, about }) => line(['-n', quoted(`__fish_is_first_arg`), '-a', name as string, '-d', quoted(short(about))])).join('\n')}
${commands.flatMap((command) => linesOf(command, command.name === null ? without : `__fish_seen_subcommand_from ${command.name}`)).join('\n')}
`
}

function linesOf(command: CommandDescription, condition: string): string[] {
  const options = optionsOf(command).map((option) => {
    const { name, letter, about } = option
    const names = [...(letter === null ? [] : ['-s', letter]), '-l', name]
    return line(['-n', quoted(condition), ...names, ...takes(option), '-d', quoted(short(about))])
  })
  const words = command.words
    .filter(({ choices }) => choices !== null)
    .map(({ choices }) => line(['-n', quoted(condition), '-a', quoted((choices ?? []).join(' '))]))
  return [...options, ...words]
}

/** Files are what fish offers by itself. */
function takes(option: ArgumentDescription): string[] {
  const { choices, list, kind } = option
  if (kind === 'switch') return []
  if (list !== null) return ['-x', '-a', quoted(`(__fish_append , ${list.join(' ')})`)]
  if (choices !== null) return ['-x', '-a', quoted(choices.join(' '))]
  return [isFile(option) ? '-r' : '-x']
}

function line(words: readonly string[]): string {
  return ['complete', '-c', 'mig-phases', ...words].join(' ')
}

/** In fish, a backslash keeps its meaning between quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
