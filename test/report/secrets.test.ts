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
]

const FOLDER = 'fixtures/openstack-zed'
const captures = readdirSync(FOLDER).filter((name) => name.endsWith('.pcap.gz'))

describe('no secret of a capture is in a report', () => {
  it.each(captures)('%s', async (name) => {
    const path = join(FOLDER, name)
    const secrets = secretsIn(gunzipSync(readFileSync(path)).toString('latin1'))
    const report = assembleReport([await analyzeFile(path)])
    const outputs = [renderJson(report), renderNdjson(report), renderTable(report)]
    for (const secret of secrets) {
      for (const output of outputs) expect(output.includes(secret), secret.slice(0, 4)).toBe(false)
    }
  })

  it('knows secrets to look for', () => {
    const found = captures.map((name) =>
      secretsIn(gunzipSync(readFileSync(join(FOLDER, name))).toString('latin1')),
    )
    expect(new Set(found.flat()).size).toBeGreaterThan(10)
  })
})

function secretsIn(text: string): string[] {
  return SECRETS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] as string))
}
