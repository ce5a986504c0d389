import type { ArgumentDescription, CommandDescription } from '../args/description.ts'
import { isFile, optionsOf, quoted, spellings } from './words.ts'

/** The name that stands for captures without a command. */
const MAIN = '-'

/** Needs nothing but bash, 3.2 included, and puts words together again that it takes apart at an equals sign. */
export function renderBash(commands: readonly CommandDescription[]): string {
  const names = commands.flatMap(({ name }) => (name === null ? [] : [name]))
  return `# Completion of mig-phases for bash: source <(mig-phases completion bash)

_mig_phases_words() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$1" -- "$cur")
}

# Words with commas between.
_mig_phases_list() {
  local word before=
  [[ $cur == *,* ]] && before=\${cur%,*},
  while IFS= read -r word; do COMPREPLY+=("$before$word"); done < <(compgen -W "$1" -- "\${cur##*,}")
  compopt -o nospace 2>/dev/null
}

_mig_phases_files() {
  local word at=
  [[ $cur == @* ]] && at=@
  compopt -o filenames 2>/dev/null
  while IFS= read -r word; do COMPREPLY+=("$at$word"); done < <(compgen -f -- "\${cur#@}")
}

_mig_phases_takes_value() {
  case "$1 $2" in
${alternatives(commands, (option) => option.kind !== 'switch')}) return 0 ;;
  esac
  return 1
}

_mig_phases() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev= command= word i value= position=0
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == '=' ]] && continue
    if [[ -n $value ]]; then value=
    elif [[ $word == -?* ]]; then
      _mig_phases_takes_value "\${command:-${MAIN}}" "$word" && value=$word
    elif [[ -z $command ]]; then
      case "$word" in
        ${names.join('|')}) command=$word ;;
        *) command=${MAIN} position=1 ;;
      esac
    else
      position=$((position + 1))
    fi
  done
  [[ $cur == '=' ]] && cur=
  prev=$value
  if [[ -n $prev ]]; then
    case "\${command:-${MAIN}} $prev" in
${commands.flatMap(valueCases).join('\n')}
      *) _mig_phases_files ;;
    esac
  elif [[ $cur == -?* ]]; then
    case "\${command:-${MAIN}}" in
${commands.map(optionCase).join('\n')}
    esac
  elif [[ $cur == - ]]; then
    _mig_phases_words '- -h --help'
  elif [[ -z $command ]]; then
    _mig_phases_files
    _mig_phases_words ${quoted(names.join(' '))}
  else
    case "$command $position" in
${commands.flatMap(positionCases).join('\n')}
      *) _mig_phases_files ;;
    esac
  fi
}

complete -F _mig_phases mig-phases
`
}

const nameOf = ({ name }: CommandDescription): string => name ?? MAIN

function alternatives(
  commands: readonly CommandDescription[],
  test: (option: ArgumentDescription) => boolean,
): string {
  const patterns = commands.flatMap((command) =>
    optionsOf(command)
      .filter(test)
      .flatMap(spellings)
      .map((spelling) => `"${nameOf(command)} ${spelling}"`),
  )
  return `    ${patterns.join(' | ')}`
}

/** What may follow an option, where that is not a file. */
function valueCases(command: CommandDescription): string[] {
  return optionsOf(command).flatMap((option) => {
    const patterns = spellings(option).map((spelling) => `"${nameOf(command)} ${spelling}"`)
    const action = actionOf(option)
    return action === null ? [] : [`      ${patterns.join(' | ')}) ${action} ;;`]
  })
}

function actionOf(argument: ArgumentDescription): string | null {
  const { choices, list } = argument
  if (list !== null) return `_mig_phases_list ${quoted(list.join(' '))}`
  if (choices !== null) return `_mig_phases_words ${quoted(choices.join(' '))}`
  return isFile(argument) ? null : ':'
}

function optionCase(command: CommandDescription): string {
  const all = optionsOf(command).flatMap(spellings)
  return `      ${nameOf(command)}) _mig_phases_words ${quoted(all.join(' '))} ;;`
}

function positionCases(command: CommandDescription): string[] {
  return command.words.flatMap((word, position) => {
    const action = actionOf(word)
    return action === null ? [] : [`      "${nameOf(command)} ${position}") ${action} ;;`]
  })
}
