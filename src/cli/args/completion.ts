import type { Argv } from 'yargs'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What `mig-phases completion [SHELL]` is asked for. */
export interface CompletionArguments {
  readonly command: 'completion'
  readonly shell: Shell
}

export function completionOptions<T>(parser: Argv<T>) {
  return parser
    .positional('shell', { choices: SHELLS, describe: 'for this one (default: the one that $SHELL names)' })
    .example('source <($0 completion bash)', 'in ~/.bashrc; in ~/.zshrc with zsh')
    .example('$0 completion fish > ~/.config/fish/completions/mig-phases.fish', 'for fish')
    .epilogue('Exit status: 0 written, 2 wrong usage.')
}

/** Where nothing tells the shell, it is the one that most have. */
export function readCompletion(
  { shell }: { readonly shell: Shell | undefined },
  environment = process.env.SHELL ?? '',
): CompletionArguments {
  const found = SHELLS.find((each) => environment.endsWith(`/${each}`))
  return { command: 'completion', shell: shell ?? found ?? 'bash' }
}
