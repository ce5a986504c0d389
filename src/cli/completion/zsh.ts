import type { ArgumentDescription, CommandDescription } from '../args/description.ts'
import { isFile, optionsOf, quoted, short, spellings } from './words.ts'

export function renderZsh(commands: readonly CommandDescription[]): string {
  const [main, ...others] = commands
  if (main === undefined) return ''
  const named = others.map(({ name, about }) => quoted(`${name}:${short(about)}`))
  return `#compdef mig-phases
# Completion of mig-phases for zsh: source <(mig-phases completion zsh), or this as _mig-phases in a folder of $fpath

_mig-phases() {
  local -a commands
  commands=(
    ${named.join('\n    ')}
  )
  case \${words[2]} in
${others.map(commandCase).join('\n')}
    *)
      (( CURRENT == 2 )) && _describe command commands
      _arguments -S \\
        ${specsOf(main)}
      ;;
  esac
}

if [[ \${funcstack[1]} == _mig-phases ]]; then
  _mig-phases "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _mig-phases mig-phases
fi
`
}

/** The words of a command are looked at as if the command itself were not among them. */
function commandCase(command: CommandDescription): string {
  return `    ${command.name})
      if (( CURRENT == 2 )); then
        _describe command commands
      else
        shift words
        (( CURRENT-- ))
        _arguments -S \\
          ${specsOf(command).replaceAll('\n        ', '\n          ')}
      fi
      ;;`
}

function specsOf(command: CommandDescription): string {
  const options = optionsOf(command).map(optionSpec)
  const last = command.usage.includes('..') ? command.words.length - 1 : -1
  const words = command.words.map((word, position) => {
    const place = position === last ? '*' : `${position + 1}`
    return quoted(`${place}:${plain(word.name)}:${actionOf(word)}`)
  })
  return [...options, ...words].join(' \\\n        ')
}

function optionSpec(option: ArgumentDescription): string {
  const { name, letter, about, kind, repeats } = option
  const names = spellings(option)
  const value = kind === 'switch' ? '' : `:${plain(name)}:${actionOf(option)}`
  const rest = `[${short(about).replaceAll(/[[\]\\:]/g, '\\$&')}]${value}`
  if (repeats || letter === null) return quoted(`${repeats ? '*' : ''}${names.at(-1)}${rest}`)
  return `${quoted(`(${names.join(' ')})`)}{${names.join(',')}}${quoted(rest)}`
}

function actionOf(argument: ArgumentDescription): string {
  const { choices, list } = argument
  if (list !== null) return `_sequence compadd - ${list.join(' ')}`
  if (choices !== null) return `(${choices.join(' ')})`
  return isFile(argument) ? '_files' : ' '
}

function plain(name: string): string {
  return name.replaceAll('-', ' ')
}
