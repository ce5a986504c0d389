import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PingLog } from '../../src/phases/ping-log.ts'

const MS = 1e6

/** Printed by iputils 20221126: `ping -n -D -i 0.01 10.77.0.50`, with a guest that moved. */
const LOG = `PING 10.77.0.50 (10.77.0.50) 56(84) bytes of data.
[1795175111.500000] 64 bytes from 10.77.0.50: icmp_seq=92 ttl=64 time=0.500 ms
[1795175111.516000] 64 bytes from 10.77.0.50: icmp_seq=93 ttl=64 time=0.500 ms
[1795175111.580000] 64 bytes from 10.77.0.50: icmp_seq=97 ttl=64 time=0.500 ms
[1795175111.597000] 64 bytes from 10.77.0.50: icmp_seq=98 ttl=64 time=1.500 ms

--- 10.77.0.50 ping statistics ---
98 packets transmitted, 95 received, 3.06122% packet loss, time 1587ms
rtt min/avg/max/mdev = 0.203/0.459/9.519/0.595 ms, pipe 2
`

/** The same with `-O`. */
const WITH_OUTSTANDING = LOG.replace(
  '[1795175111.580000]',
  `[1795175111.532500] no answer yet for icmp_seq=94
[1795175111.547500] no answer yet for icmp_seq=95
[1795175111.564500] no answer yet for icmp_seq=96
[1795175111.580000]`,
)

function parse(text: string): PingLog {
  const log = new PingLog()
  for (const line of text.split('\n')) log.line(line)
  return log
}

/** Milliseconds after 1795175111. */
function table(log: PingLog): (readonly [number, number | null, number | null])[] {
  const ms = (ns: number | null): number | null => (ns === null ? null : Math.round(ns / 1e5) / 10)
  return log.exchanges().map(({ sequence, sentNs, replyNs }) => [sequence, ms(sentNs), ms(replyNs)] as const)
}

it('reads replies, and spaces those that are missing evenly', () => {
  const log = parse(LOG)
  expect([log.target, log.baseSeconds, log.unstamped, log.full]).toEqual([
    '10.77.0.50',
    1795175111,
    false,
    false,
  ])
  expect(table(log)).toEqual([
    [92, 499.5, 500],
    [93, 515.5, 516],
    [94, 531.5, null],
    [95, 547.5, null],
    [96, 563.5, null],
    [97, 579.5, 580],
    [98, 595.5, 597],
  ])
})

it('takes the time of each request from the line of the one before it (-O)', () => {
  expect(table(parse(WITH_OUTSTANDING)).slice(1, 6)).toEqual([
    [93, 515.5, 516],
    [94, 524, null],
    [95, 532.5, null],
    [96, 547.5, null],
    [97, 564.5, 580],
  ])
})

it('keeps the reply that came after all, and the first of several', () => {
  const log = parse(`[10.000] no answer yet for icmp_seq=1
[10.050] 64 bytes from 10.0.0.1: icmp_seq=2 ttl=64 time=50 ms
[10.060] 64 bytes from 10.0.0.1: icmp_seq=2 ttl=64 time=60 ms (DUP!)`)
  expect(log.exchanges().at(-1)).toEqual({ sequence: 2, sentNs: 0, replyNs: 50 * MS })
})

it.each([
  ['PING fd77::50(fd77::50) 56 data bytes', 'fd77::50'],
  ['PING vm1 (10.77.0.50) 56(84) bytes of data.', '10.77.0.50'],
  ['PING fe80::1%eth0(fe80::1%eth0) 56 data bytes', 'fe80::1'],
  ['PING vm1(vm1.lan (fd77::50)) 56 data bytes', 'fd77::50'],
  ['[1.5] 64 bytes from vm1 (10.77.0.50): icmp_seq=1 ttl=64 time=1 ms', '10.77.0.50'],
  ['[1.5] 64 bytes from fd77::50: icmp_seq=1 ttl=64 time=1 ms', 'fd77::50'],
])('finds the target in %s', (line, target) => {
  expect(parse(line).target).toBe(target)
})

it('reads what there is of a log that is cut off anywhere', () => {
  for (let size = 0; size <= WITH_OUTSTANDING.length; size++) {
    const whole = WITH_OUTSTANDING.slice(0, size).split('\n').slice(0, -1)
    const exchanges = parse(whole.join('\n')).exchanges()
    expect(exchanges.length).toBeLessThanOrEqual(7)
    for (const { sentNs, replyNs } of exchanges) expect(sentNs! <= (replyNs ?? sentNs!)).toBe(true)
  }
})

it('knows a log without time stamps, and what is no log', () => {
  const plain = parse('64 bytes from 10.77.0.50: icmp_seq=92 ttl=64 time=0.500 ms')
  expect([plain.lines, plain.unstamped]).toEqual([0, true])
  const other = parse('#!/bin/sh\necho hello\n[12] 5\n')
  expect([other.lines, other.unstamped, other.target]).toEqual([0, false, null])
})

it('goes on counting when the sixteen bits wrap around', () => {
  const line = (sequence: number, at: number): string =>
    `[10.${String(at).padStart(3, '0')}] 64 bytes from 10.0.0.1: icmp_seq=${sequence} ttl=64 time=0 ms`
  const log = parse([line(65534, 0), line(65535, 10), line(1, 30)].join('\n'))
  expect(table(log).map(([sequence, at]) => [sequence, at])).toEqual([
    [65534, 0],
    [65535, 10],
    [65536, 20],
    [65537, 30],
  ])
})

it('never throws, and holds the requests in order', () => {
  const line = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.integer({ min: 0, max: 999 }), fc.nat(), fc.double({ min: 0, max: 1e4, noNaN: true }))
      .map(
        ([sequence, at, time]) =>
          `[${at}.5] 64 bytes from 10.0.0.1: icmp_seq=${sequence} ttl=64 time=${time.toFixed(3)} ms`,
      ),
    fc.nat({ max: 2000 }).map((sequence) => `[5.25] no answer yet for icmp_seq=${sequence}`),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const numbers = parse(lines.join('\n'))
        .exchanges()
        .map(({ sequence }) => sequence)
      for (const [i, number] of numbers.entries()) if (i > 0) expect(number > numbers[i - 1]!).toBe(true)
    }),
    { numRuns: 50 },
  )
})
