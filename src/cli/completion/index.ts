import { stdout } from 'node:process'
import type { CompletionArguments } from '../args/completion.ts'
import { describeProgram } from '../args/description.ts'
import { EXIT, type ExitStatus } from '../exit.ts'
import { renderBash } from './bash.ts'
import { renderFish } from './fish.ts'
import { renderZsh } from './zsh.ts'

const RENDERERS = { bash: renderBash, zsh: renderZsh, fish: renderFish } as const

/** Writes a script that completes command lines. The shell then knows all by itself: nothing is started for a key. */
export async function writeCompletion({ shell }: CompletionArguments): Promise<ExitStatus> {
  const commands = await describeProgram()
  await new Promise<void>((resolve) => stdout.write(RENDERERS[shell](commands), () => resolve()))
  return EXIT.ok
}
