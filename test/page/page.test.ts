import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Download, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../src/report/model.ts'
import { run } from '../cli/run.ts'
import { guest, migrate } from '../pipeline/synthetic.ts'
import { reportOf } from '../report/reports.ts'
import { capture, pcap, Wire } from '../support/capture.ts'
import { xmlText } from '../support/libvirt.ts'
import { type Durations, StudyScene } from '../support/study.ts'
import { BROWSER, drawAll, launch, open, type Watched } from './browser.ts'

/** Pages as a reader has them: in a browser, by file://. */

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-page-'))
let browser: Browser

beforeAll(async () => {
  if (BROWSER !== null) browser = await launch()
}, 60_000)
afterAll(async () => {
  await browser?.close()
  rmSync(FOLDER, { recursive: true })
})

async function report(name: string, ...args: readonly string[]): Promise<string> {
  const path = join(FOLDER, name)
  const { status, stderr } = await run(['report', ...args, '-o', path])
  expect([status, stderr]).toEqual([0, ''])
  return path
}

/** The study's captures: two flavors, three loads, three runs each; one run fails to say how it ended. */
function studyFolder(): string {
  const folder = join(FOLDER, 'study')
  const scene = new StudyScene()
  const whole: Durations = {
    auth: 0.1,
    init: 1.6,
    remote_connect: 0.008,
    prepare: 0.5,
    transfer: 2,
    finish: 0.1,
    cleanup: 0.3,
    post_migration: 0.6,
    libvirt_migration_time: 3.2,
    total_migration_time: 5.8,
    downtime: 0.03,
  }
  ;['m1.small', 'm1.large'].forEach((flavor, size) => {
    ;['0', '50', '100'].forEach((load, level) => {
      mkdirSync(join(folder, flavor, load), { recursive: true })
      for (let n = 0; n < 3; n++) {
        const more = size * 2 + level / 4 + n / 50
        const bytes = scene.bytes({
          ...whole,
          transfer: 2 + more,
          libvirt_migration_time: 3.2 + more,
          total_migration_time: 5.8 + more,
          downtime: 0.03 + n / 1000,
        })
        writeFileSync(join(folder, flavor, load, `run-${n}.pcap`), bytes)
      }
    })
  })
  return folder
}

async function textOf(download: Download): Promise<string> {
  return readFileSync(await download.path(), 'utf8')
}

/** Presses what saves a file. */
async function saved(page: Page, press: () => Promise<void>): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), press()])
  return await textOf(download)
}

function quiet({ complaints, requests }: Watched): void {
  expect(complaints).toEqual([])
  expect(requests.filter((url) => !url.startsWith('blob:'))).toEqual([])
}

describe.skipIf(BROWSER === null)('a page of one migration', () => {
  let path = ''
  beforeAll(async () => {
    path = await report('one.html', 'fixtures/libvirt-9.0/idle.pcap.gz')
  })

  test('draws its timeline, says nothing to the console and asks the network for nothing', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    await drawAll(page)
    expect(await page.locator('.drawing > svg').count()).toBe(3)
    for (const label of ['Remote connect', 'Preparation', 'Transfer', 'Finish', 'Cleanup', 'Downtime'])
      expect(await page.locator('.drawing > svg').first().getByText(label, { exact: true }).count()).toBe(1)
    quiet(watched)
    await watched.close()
  })

  test('holds the document of --format json', async () => {
    const watched = await open(browser, path)
    const held = await watched.page.locator('#report').textContent()
    const { stdout } = await run(['fixtures/libvirt-9.0/idle.pcap.gz', '-f', 'json'])
    expect(JSON.parse(held ?? '')).toEqual(JSON.parse(stdout))
    const json = await saved(watched.page, () => watched.page.getByRole('button', { name: 'JSON' }).click())
    expect(JSON.parse(json)).toEqual(JSON.parse(stdout))
    await watched.close()
  })

  test('shows the numbers of the document in its table, and saves them unrounded', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    const { migrations } = JSON.parse((await page.locator('#report').textContent()) ?? '') as Report
    const sheet = page.locator('.sheet', { has: page.locator('caption', { hasText: /^Phases$/ }) })
    const rows = await sheet.locator('tbody tr').allInnerTexts()
    for (const { label, duration_s, start } of migrations[0]!.phases) {
      const row = rows.find((text) => text.startsWith(label))!.split('\t')
      expect(row[3]).toBe(duration_s!.toFixed(6))
      expect(row[5]).toBe(`${start.packet}`)
    }
    const csv = await saved(page, () => sheet.getByRole('button', { name: 'CSV' }).click())
    for (const { label, duration_s } of migrations[0]!.phases)
      expect(
        csv
          .split('\n')
          .find((line) => line.startsWith(label))!
          .split(',')[3],
      ).toBe(`${duration_s}`)
    await watched.close()
  })

  test('shows evidence under the pointer, and keeps it when pressed', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    await drawAll(page)
    const bar = page.locator('.drawing > svg').first().locator('rect[aria-label^="Transfer:"]')
    await bar.hover({ position: { x: 3, y: 3 } })
    expect(await page.getByRole('tooltip').innerText()).toContain('packet 196 (observed), tcp.syn:')
    await bar.click({ position: { x: 3, y: 3 } })
    expect(await page.locator('.evidence').first().innerText()).toContain(
      'Wireshark: frame.number == 196 || frame.number == 12833',
    )
    await page.getByRole('button', { name: 'Copy the filter' }).waitFor()
    await page.mouse.move(1, 1)
    expect(await page.getByRole('tooltip').count()).toBe(0)
    // A window of another size has the figure drawn anew, and what was chosen stays.
    await page.setViewportSize({ width: 700, height: 700 })
    await expect.poll(() => page.locator('.drawing > svg').first().getAttribute('width')).toBe('660')
    expect(await page.locator('.evidence').first().innerText()).toContain('frame.number == 196')
    await watched.close()
  })

  test('is walked through by keyboard: one stop a timeline, arrows from mark to mark', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    await drawAll(page)
    const svg = page.locator('.drawing > svg').first()
    expect(await svg.locator('[tabindex="0"]').count()).toBe(1)
    await svg.locator('[tabindex="0"]').focus()
    const told = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '')
    expect(await told()).toMatch(/^(Remote connect|tcp\.syn_ack)/)
    await page.keyboard.press('End')
    expect(await told()).toMatch(/^(Downtime|RARP)/)
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Enter')
    expect(await page.locator('.evidence').first().innerText()).toContain(await told())
    quiet(watched)
    await watched.close()
  })

  test('is drawn in the dark, in a narrow window, and for the printer', async () => {
    const dark = await open(browser, path, { colorScheme: 'dark', viewport: { width: 380, height: 800 } })
    await drawAll(dark.page)
    const colours = await dark.page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.documentElement)
      return [backgroundColor, color]
    })
    expect(colours).toEqual(['rgb(20, 24, 29)', 'rgb(228, 232, 236)'])
    // Tables scroll by themselves; the page does not.
    const { scrolls, window } = await dark.page.evaluate(() => ({
      scrolls: document.documentElement.scrollWidth,
      window: innerWidth,
    }))
    expect(scrolls).toBeLessThanOrEqual(window)
    quiet(dark)
    await dark.close()
    const printed = await open(browser, path)
    const pdf = await printed.page.pdf({ format: 'A4' })
    expect(pdf.length).toBeGreaterThan(20_000)
    // Figures that were never near the screen are on paper too.
    expect(await printed.page.locator('.drawing > svg').count()).toBe(3)
    quiet(printed)
    await printed.close()
  })

  test('saves a figure as a file that is well-formed', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    await drawAll(page)
    const svg = await saved(page, () => page.getByRole('button', { name: 'SVG' }).first().click())
    const found = await page.evaluate((text) => {
      const parsed = new DOMParser().parseFromString(text, 'image/svg+xml')
      return [parsed.querySelector('parsererror')?.textContent ?? null, parsed.documentElement.localName]
    }, svg)
    expect(found).toEqual([null, 'svg'])
    await watched.close()
  })
})

describe.skipIf(BROWSER === null)('a page of a study', () => {
  let path = ''
  let study = ''
  beforeAll(async () => {
    study = studyFolder()
    path = await report('study.html', study, '--factors', '{flavor}/{load}/run-{n}')
  }, 60_000)

  test('draws the figures of the study', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    await drawAll(page)
    const captions = await page.locator('figcaption strong').allInnerTexts()
    expect(captions).toEqual(
      expect.arrayContaining([
        'Phases as shares of the total migration time',
        'Mean duration of the phases',
        'Transfer by load',
        'Transfer by flavor',
        'Downtime by load',
        'Transfer: all values',
      ]),
    )
    for (const drawing of await page.locator('.drawing > svg').all()) {
      expect(await drawing.getAttribute('aria-label')).not.toBe('')
      expect(await drawing.innerHTML()).not.toMatch(/NaN|undefined|Infinity/)
    }
    quiet(watched)
    await watched.close()
  })

  test('has the numbers of the document beside each figure', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    const { groups } = JSON.parse((await page.locator('#report').textContent()) ?? '') as Report
    const figure = page.locator('figure', { has: page.getByText('Transfer by load', { exact: true }) })
    await figure.locator('summary').click()
    const csv = await saved(page, () => figure.getByRole('button', { name: 'CSV' }).click())
    const means = csv
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => Number(line.split(',').at(-6)))
    const expected = groups!.map(({ metrics }) => metrics.find(({ id }) => id === 'transfer')!.mean)
    expect(groups).toHaveLength(6)
    expect(means).toEqual(expected)
    await watched.close()
  })

  test('filters migrations and groups, sorts, and opens a migration', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    const count = page.locator('.count')
    expect(await count.innerText()).toBe('18 of 18 migrations, 6 of 6 groups')
    await page.locator('.filter').getByLabel('flavor').selectOption('m1.small')
    expect(await count.innerText()).toBe('9 of 18 migrations, 3 of 6 groups')
    await page.locator('.filter').getByLabel('Search').fill('50/run-1')
    await expect.poll(() => count.innerText()).toBe('1 of 18 migrations, 3 of 6 groups')
    await page.getByRole('button', { name: 'Show all' }).click()
    const totals = () =>
      page
        .locator('.list tbody tr:not(.detail) td:nth-child(9)')
        .allInnerTexts()
        .then((texts) => texts.map(Number))
    await page.getByRole('button', { name: 'Total (s)' }).click()
    const rising = await totals()
    expect(rising).toHaveLength(18)
    expect(rising).toEqual([...rising].sort((a, b) => a - b))
    await page.getByRole('button', { name: 'Total (s)' }).click()
    expect(await totals()).toEqual([...rising].reverse())
    await page.locator('.open').first().click()
    await page.locator('.detail svg').first().waitFor()
    expect(await page.locator('.open').first().getAttribute('aria-expanded')).toBe('true')
    await page.locator('.open').first().click()
    expect(await page.locator('.detail').count()).toBe(0)
    quiet(watched)
    await watched.close()
  })

  test('opens the tables for the printer, and closes them after', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    const opened = () => page.locator('#tables details[open] table').count()
    const before = await opened()
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')))
    const all = await page.locator('#tables details').count()
    expect(all).toBeGreaterThan(before)
    expect(await opened()).toBe(all)
    await page.evaluate(() => dispatchEvent(new Event('afterprint')))
    expect(await opened()).toBe(before)
    await watched.close()
  })

  test('every control has a name, every table a caption and heads with a scope', async () => {
    const watched = await open(browser, path)
    const { page } = watched
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, select')]
        .filter((each) => {
          const labels = (each as HTMLInputElement).labels
          const label =
            labels === null || labels === undefined ? '' : [...labels].map((one) => one.textContent).join('')
          return `${each.getAttribute('aria-label') ?? ''}${each.textContent}${label}`.trim() === ''
        })
        .map((each) => each.outerHTML),
    )
    expect(nameless).toEqual([])
    const bare = await page.evaluate(
      () =>
        [...document.querySelectorAll('table')].filter(
          (table) => !table.caption?.textContent || table.querySelector('th:not([scope])') !== null,
        ).length,
    )
    expect(bare).toBe(0)
    await watched.close()
  })
})

describe.skipIf(BROWSER === null)('a page of a thousand migrations', () => {
  test('shows a part of the list, finds any of them, and shows all when asked', async () => {
    const names = ['idle', 'xbzrle', 'abort', 'postcopy', 'fail-connect']
    const known = names.map((name) => reportOf(`libvirt-9.0/${name}.expected.json`).migrations[0]!)
    const lines = Array.from({ length: 1000 }, (_, index) => {
      const factors = { load: names[index % names.length], flavor: `m${index % 3}` }
      return `${JSON.stringify({ ...known[index % known.length], capture: `run-${index}.pcap`, factors })}\n`
    })
    const results = join(FOLDER, 'thousand.ndjson')
    writeFileSync(results, lines.join(''))
    const path = await report('thousand.html', results)
    const watched = await open(browser, path)
    const { page } = watched
    const count = page.locator('.count')
    expect(await count.innerText()).toBe('1,000 of 1,000 migrations, 15 of 15 groups')
    const rows = page.locator('.list tbody tr')
    expect(await rows.count()).toBe(100)
    // Nothing is drawn that is not near the screen.
    const drawn = await page.locator('.drawing > svg').count()
    expect(drawn).toBeLessThan((await page.locator('.drawing').count()) / 2)
    await page.locator('.filter').getByLabel('Search').fill('run-987.pcap')
    await expect.poll(() => count.innerText()).toMatch(/^1 of 1,000 migrations/)
    expect(await rows.first().innerText()).toContain('987')
    await page.locator('.filter').getByLabel('Search').fill('')
    await page.locator('.filter').getByLabel('Outcome').selectOption('failed')
    expect(await count.innerText()).toMatch(/^200 of 1,000 migrations/)
    await page.locator('.more').getByRole('button', { name: 'Show all' }).click()
    expect(await rows.count()).toBe(200)
    quiet(watched)
    await watched.close()
  })
})

describe.skipIf(BROWSER === null)('hostile text', () => {
  const NAME = '=cmd()|\u001b[31m<img src=x onerror=alert(1)></script><script>alert(2)</script>\u202e'

  test('is inert in the page, in what is saved from it, and on the terminal', async () => {
    const file = join(FOLDER, 'hostile.pcap')
    writeFileSync(file, pcap(capture(migrate(new Wire(), undefined, guest(xmlText(NAME))).passed)))
    const twice = join(FOLDER, 'again.pcap')
    writeFileSync(twice, readFileSync(file))
    const path = await report('hostile.html', file, twice)
    const watched = await open(browser, path)
    const { page } = watched
    await drawAll(page)
    expect(await page.locator('img, script:not([type])').count()).toBe(1) // the page's own script
    const shown = await page.locator('.list tbody tr').first().innerText()
    expect(shown).toContain('=cmd()|\\x1b[31m<img src=x onerror=alert(1)></script>')
    const body = await page.locator('body').innerText()
    for (const character of ['\u001b', '\u202e']) expect(body).not.toContain(character)
    const csv = await saved(page, () => page.locator('#migrations .tools button').first().click())
    expect(csv.split('\n')[1]).toContain("'=cmd()|")
    expect(csv).not.toMatch(/(^|,)"?=cmd/m)
    quiet(watched)
    await watched.close()
  })
})
