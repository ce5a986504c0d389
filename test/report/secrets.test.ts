import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { analyzeFile } from '../../src/files/analyze.ts'
import { assembleReport } from '../../src/report/assemble.ts'
import { renderJson, renderNdjson } from '../../src/report/json.ts'
import { renderTable } from '../../src/report/table.ts'

/** What must never appear: the value behind each of these in the bytes of a capture. */
const SECRETS = [
  /X-Auth-Token: ([^\s]{8,})/gi,
  /X-Subject-Token: ([^\s]{8,})/gi,
  /"password"\s*:\s*"([^"]{4,})"/gi,
  /_context_auth_token[\\"]*\s*:\s*[\\"]*([A-Za-z0-9_.-]{8,})/gi,
  // Built captures name their secrets.
  /(fake-(?:password|token)-of-[\w-]+)/g,
]

const FOLDERS = ['fixtures/openstack-zed', 'fixtures/built']
const captures = FOLDERS.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))).filter(
  (path) => path.endsWith('.pcap.gz'),
)

describe('no secret of a capture is in a report', () => {
  it.each(captures)('%s', async (path) => {
    const secrets = secretsIn(gunzipSync(readFileSync(path)).toString('latin1'))
    const report = assembleReport([await analyzeFile(path)])
    const outputs = [renderJson(report), renderNdjson(report), renderTable(report)]
    for (const secret of secrets) {
      for (const output of outputs) expect(output.includes(secret), secret.slice(0, 4)).toBe(false)
    }
  })

  it('knows secrets to look for', () => {
    const found = captures.map((path) => secretsIn(gunzipSync(readFileSync(path)).toString('latin1')))
    expect(new Set(found.flat()).size).toBeGreaterThan(10)
    expect(found.filter((secrets) => secrets.length === 0)).toEqual([])
  })
})

function secretsIn(text: string): string[] {
  return SECRETS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] as string))
}
