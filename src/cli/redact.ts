import { stderr } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { type Redaction, redactFile } from '../files/redact.ts'
import { printable } from '../report/format.ts'
import type { RedactArguments } from './args/redact.ts'
import { EXIT, type ExitStatus } from './exit.ts'

/** Writes a copy of a capture that may be shared, and says on standard error what was done.
 *  @throws InputError when a file cannot be read or written */
export async function redactCapture(args: RedactArguments): Promise<ExitStatus> {
  const { capture, output, map } = args
  const done = await redact(args)
  stderr.write(`mig-phases: ${printable(output)}: ${summary(done)}\n`)
  if (done.undecidedPackets > 0)
    stderr.write(
      `warning: ${printable(capture)}: ${count(done.undecidedPackets, 'packet')} could not wait until it was known what they hold: they are blank where that was not decided, and the report may differ\n`,
    )
  if (map !== null)
    stderr.write(
      `mig-phases: ${printable(map)}: what stands for what. Keep it to yourself: it undoes the redaction\n`,
    )
  stderr.write('mig-phases: look at the copy before you share it: times, lengths, flags and versions stay\n')
  return EXIT.ok
}

async function redact({ capture, output, key, keyFile, map }: RedactArguments): Promise<Redaction> {
  try {
    return await redactFile(capture, output, { key, keyFile, map })
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(error.message, printable(error.input ?? capture))
  }
}

function summary({ packets, bytes, keptBytes, addresses, names, uuids, secrets }: Redaction): string {
  const blank = (bytes - keptBytes).toLocaleString('en-US')
  return `${count(packets, 'packet')}; ${count(addresses, 'address', 'addresses')}, ${count(names, 'name')} and ${count(uuids, 'identifier')} replaced, ${count(secrets, 'secret')} filled up; ${blank} of ${bytes.toLocaleString('en-US')} bytes blank`
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`
}
