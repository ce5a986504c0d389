import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defineConfig, type OutputOptions, type Plugin, type RolldownOptions } from 'rolldown'

/** Packages that stay outside: they are needed seldom. */
const EXTERNAL = ['cli-progress', 'csv-parse', 'csv-stringify', 'fzstd', 'tinyglobby', '@noble/hashes']

/** What the command is made of: CommonJS, as `src/cli/load.ts` takes it. */
const COMMAND: RolldownOptions & { readonly output: OutputOptions } = {
  platform: 'node',
  // The parser of options would find files of options, which there are none of, with its address.
  checks: { emptyImportMeta: false },
  external: (id) => EXTERNAL.some((name) => id === name || id.startsWith(`${name}/`)),
  output: {
    dir: 'dist/cli',
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    comments: false,
    dynamicImportInCjs: false,
    minify: true,
  },
}

/** What the compiler cannot do: the script of pages as one file, and the command in a few files instead of two hundred, each of which
 *  takes Node 0.5 ms to find and compile. With it go the libraries that draw figures, so that those who install the package
 *  install nothing more. `npm run build` runs this after the compiler. */
export default defineConfig([
  {
    input: 'src/page/main.ts',
    platform: 'browser',
    resolve: { alias: { 'csv-stringify/sync': 'csv-stringify/browser/esm/sync' } },
    plugins: [
      {
        name: 'style-of-pages',
        buildStart() {
          this.emitFile({
            type: 'asset',
            fileName: 'page.css',
            source: readFileSync('src/page/page.css', 'utf8'),
          })
        },
      },
    ],
    output: { dir: 'dist/page', format: 'iife', minify: true, cleanDir: true, postBanner: noticesOf },
  },
  {
    // A thread of a batch is a program of its own.
    input: { main: 'src/cli/main.ts', 'thread-program': 'src/files/thread.ts' },
    ...COMMAND,
    plugins: [startedByLoader()],
    output: { ...COMMAND.output, cleanDir: true, postBanner: noticesOf },
  },
  {
    input: { load: 'src/cli/load.ts' },
    ...COMMAND,
    plugins: [compiledBefore()],
  },
])

/** Makes the files what the loader takes: a function each, so that it need not put a text of 100 KB together; in ASCII, which V8 keeps
 *  as it is. Beside them, what starts a thread, and what says that the folder is CommonJS. */
function startedByLoader(): Plugin {
  return {
    name: 'started-by-loader',
    buildStart() {
      this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }' })
      this.emitFile({ type: 'asset', fileName: 'thread.js', source: THREAD_START })
    },
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle))
        if (file.type === 'chunk')
          file.code = `${MODULE_START}${file.code.replace(/[^\0-\x7f]/g, escaped)}\n})`
    },
  }
}

/** Started by `files/threads.ts`. */
const THREAD_START = "require('./load.js').load('thread-program.js')"
const MODULE_START = '(function (exports, require, module, __filename, __dirname) { "use strict";'

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Runs what is run most, and keeps what V8 has compiled for it. */
function compiledBefore(): Plugin {
  return {
    name: 'compiled-before',
    closeBundle() {
      const { status, stderr } = spawnSync(process.execPath, ['--eval', RUN_AND_KEEP], { encoding: 'utf8' })
      if (status !== 0) this.error(stderr)
    },
  }
}

const RUN_AND_KEEP = `
const { load, keepCompiled } = require('./dist/cli/load.js')
const [one, other] = ['idle', 'xbzrle'].map((name) => 'fixtures/libvirt-9.0/' + name + '.pcap.gz')
const RUNS = [['--version'], [one, '--format', 'json'], [one], [one, other, '--format', 'json'], [one, other, '--jobs', '1'], ['--help']]
async function run() {
  process.stdout.write = (text, done) => { done?.(); return true }
  load('thread-program.js')
  for (const words of RUNS)
    if (await load('main.js').main(words) !== 0) throw new Error(words.join(' '))
  keepCompiled()
}
run()
`

/** Names, versions and licences of the packages that went into a file, as their licences ask. */
function noticesOf({ moduleIds }: { readonly moduleIds: readonly string[] }): string {
  const folders = moduleIds.map(packageFolder).filter((folder) => folder !== null)
  const notices = [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
    const text = file === undefined ? `${license}` : readFileSync(join(folder, file), 'utf8').trim()
    return `${name} ${version}\n\n${text}`
  })
  return `/*!\n${notices.join('\n\n---\n\n').replaceAll('*/', '* /')}\n*/`
}

function packageFolder(module: string): string | null {
  if (!module.includes('node_modules')) return null
  let folder = dirname(module)
  // A package may have a package.json in a folder of its own that says nothing but the kind of modules.
  while (!isPackage(folder)) folder = dirname(folder)
  return folder
}

function isPackage(folder: string): boolean {
  const path = join(folder, 'package.json')
  return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).version !== undefined
}
