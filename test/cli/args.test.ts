import { expect, test } from 'vitest'
import { parseArguments } from '../../src/cli/args/index.ts'
import { parseOptions } from '../../src/cli/args/options.ts'

test.each([
  { words: ['a.pcap'] },
  { words: ['-'] },
  { words: ['a.pcap', '-', 'folder/', 'b*.pcap', '@list'] },
  { words: ['a.pcap', '-f', 'json'] },
  { words: ['--format', 'csv', 'a.pcap', 'stats'] },
  { words: ['-f', 'json', '-f', 'md', 'a.pcap'] },
  { words: ['a.pcap', '--no-progress', '--output', 'b.json', '-f', 'json'] },
  { words: ['-o', 'b.txt', 'a.pcap', '--no-progress', '--no-progress'] },
])('simple command lines read as by the parser of options: $words', async ({ words }) => {
  const simple = await parseArguments(words)
  expect(simple).toEqual(await parseOptions(words))
  expect(simple?.command).toBe('analyze')
})

test.each([
  { words: ['stats', 'a.ndjson'], command: 'stats' },
  { words: ['-f', 'json', 'stats', 'a.ndjson'], command: 'stats' },
  { words: ['compare', 'a', 'b'], command: 'compare' },
  { words: ['a.pcap', '--merge'], command: 'analyze' },
  { words: ['--format=json', 'a.pcap'], command: 'analyze' },
])('all others go to that parser: $words', async ({ words, command }) => {
  const args = await parseArguments(words)
  expect(args).toEqual(await parseOptions(words))
  expect(args?.command).toBe(command)
})

test.each([
  { words: [] },
  { words: ['-f', 'json'] },
  { words: ['a.pcap', '-f', 'jpeg'] },
  { words: ['a.pcap', '-f'] },
  { words: ['a.pcap', '--unknown'] },
  { words: ['a.pcap', '-o', ''] },
])('what makes no sense is refused in its words: $words', async ({ words }) => {
  const reason = await parseOptions(words).catch((error: Error) => error.message)
  expect(reason).toBeTypeOf('string')
  await expect(parseArguments(words)).rejects.toThrow(String(reason))
})
