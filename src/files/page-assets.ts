import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { PageAssets } from '../report/html.ts'

/** The script and the style of pages, as the build has put them beside the program. */
export async function readPageAssets(): Promise<PageAssets> {
  const script = inlineScript(await readFile(new URL('../page/main.js', import.meta.url), 'utf8'))
  const style = await readFile(new URL('../page/page.css', import.meta.url), 'utf8')
  return { script, scriptHash: hashOf(script), style, styleHash: hashOf(style) }
}

/** Written so that it does not end the element that it stands in. In strings and patterns, where alone these occur, the
 *  backslash changes nothing. @see HTML Standard, "Restrictions for contents of script elements" */
function inlineScript(code: string): string {
  return code.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\!--')
}

/** As a policy names what it allows. @see Content Security Policy Level 3, section 2.3.1 */
function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
