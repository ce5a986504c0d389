import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where a browser is; null without one. CHROMIUM names another. */
export const BROWSER: string | null =
  [process.env.CHROMIUM ?? '', ...PLACES].find((path) => path !== '' && existsSync(path)) ?? null

if (BROWSER === null)
  console.warn(
    'no Chromium here: the tests of pages are skipped (apt-get install chromium, or CHROMIUM=PATH)',
  )

export async function launch(): Promise<Browser> {
  return await chromium.launch({
    executablePath: BROWSER ?? '',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}

/** A page that is watched. */
export interface Watched {
  readonly page: Page
  /** What was written to the console, or thrown. */
  readonly complaints: string[]
  /** Requests besides that for the page. */
  readonly requests: string[]
  close(): Promise<void>
}

export async function open(
  browser: Browser,
  path: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  const requests: string[] = []
  const url = pathToFileURL(path).href
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (request.url() !== url) requests.push(request.url())
  })
  await page.goto(url)
  return { page, complaints, requests, close: () => context.close() }
}

/** Scrolls through the page until every figure is drawn. */
export async function drawAll(page: Page): Promise<void> {
  for (const drawing of await page.locator('.drawing').all()) {
    await drawing.scrollIntoViewIfNeeded()
    await drawing.locator('> svg').waitFor()
  }
}
