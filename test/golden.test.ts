import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { analyzeFile } from '../src/files/analyze.ts'
import { assembleReport } from '../src/report/assemble.ts'
import { renderJson } from '../src/report/json.ts'

const FIXTURES = 'fixtures'
/** `npm run golden` rewrites what is expected; a person then reads the difference. */
const REWRITE = process.env.REWRITE === '1'

const captures = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.pcap(ng)?(\.gz)?$/.test(name))
  .sort()

describe('each fixture gives the report that is expected of it', () => {
  it('finds the fixtures', () => {
    expect(captures.length).toBeGreaterThan(30)
  })

  for (const name of captures) {
    it(name, async () => {
      const path = join(FIXTURES, name)
      const expected = path.replace(/\.pcap(ng)?(\.gz)?$/, '.expected.json')
      const actual = renderJson(assembleReport([await analyzeFile(path)]))
      if (REWRITE) writeFileSync(expected, actual)
      expect(existsSync(expected), `${expected} is missing: npm run golden`).toBe(true)
      expect(JSON.parse(actual)).toEqual(JSON.parse(readFileSync(expected, 'utf8')))
    })
  }
})
