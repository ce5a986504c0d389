import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Script } from 'node:vm'

/** Parameters of a CommonJS module. */
type Body = (
  exports: object,
  require: (id: string) => unknown,
  module: { exports: object },
  filename: string,
  folder: string,
) => void

/** Where the bundle is: this file is a part of it. */
const FOLDER = import.meta.dirname

/** Bytecode that V8 puts into a function from those that it calls, bytes, when it compiles it for good: 920 unless told otherwise. To compile
 *  takes half the time so, beside the first captures of a run, and what comes of it is as fast. */
const INLINED_MAX = 400
setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${INLINED_MAX}`)

const loaded = new Map<string, { readonly script: Script; readonly module: { exports: object } }>()
const requireOther = createRequire(join(FOLDER, 'load.js'))

/** Loads a file of the bundle, and those that it requires, with what V8 has compiled of them before: to find, read and compile them takes
 *  as long as to read 500 MB of a capture. What was compiled by another version of Node is not used.
 *  @see the Node.js documentation of `script.createCachedData` */
export function load(name: string): object {
  const known = loaded.get(name)
  if (known !== undefined) return known.module.exports
  const filename = join(FOLDER, name)
  const script = new Script(readFileSync(filename, 'latin1'), {
    filename,
    cachedData: compiledBefore(filename),
  })
  const module = { exports: {} }
  loaded.set(name, { script, module })
  const body: Body = script.runInThisContext()
  body(module.exports, requireFrom, module, filename, FOLDER)
  return module.exports
}

/** Keeps what V8 has compiled of the files that are loaded: all functions that have run. */
export function keepCompiled(): void {
  for (const [name, { script }] of loaded)
    writeFileSync(compiledFile(join(FOLDER, name)), script.createCachedData())
}

function requireFrom(id: string): unknown {
  return id.startsWith('./') ? load(id.slice(2)) : requireOther(id)
}

function compiledBefore(filename: string): Buffer | undefined {
  try {
    return readFileSync(compiledFile(filename))
  } catch {
    return undefined
  }
}

const compiledFile = (filename: string): string => `${filename}.compiled`
