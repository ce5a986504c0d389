import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defineConfig } from 'rolldown'

const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
  readFileSync('package.json', 'utf8'),
)

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
    input: { main: 'src/cli/main.ts', worker: 'src/files/worker.ts' },
    platform: 'node',
    external: (id) => Object.keys(dependencies).some((name) => id === name || id.startsWith(`${name}/`)),
    output: {
      dir: 'dist/cli',
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      cleanDir: true,
      postBanner: noticesOf,
    },
  },
])

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
