import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ECHO_REQUESTS_MAX } from '../../src/core/limits.ts'
import { type EchoFigures, measureEcho, type SwitchOver } from '../../src/phases/echo-figures.ts'
import { EchoRing, type Exchange } from '../../src/phases/echo-ring.ts'

const MS = 1e6
const ALL = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const

/** Stopped at 1000 ms, running at 1100 ms, each to within 2 ms. */
const SPAN: SwitchOver = {
  stopLowerNs: 998 * MS,
  stopUpperNs: 1002 * MS,
  resumeLowerNs: 1098 * MS,
  resumeUpperNs: 1102 * MS,
}

/** A request every 10 ms from 5 ms on, answered 1 ms later unless it is `lost`; those that are `unseen` are left out. */
function pings(
  lost: (number: number) => boolean,
  options: { count?: number; unseen?: (number: number) => boolean; begin?: number } = {},
): Exchange[] {
  const { count = 200, unseen = () => false, begin = 1 } = options
  const exchanges: Exchange[] = []
  for (let i = 0; i < count; i++) {
    if (unseen(i)) continue
    const sentNs = (5 + 10 * i) * MS
    exchanges.push({ sequence: begin + i, sentNs, replyNs: lost(i) ? null : sentNs + MS })
  }
  return exchanges
}

const BLIND = {
  sent: null,
  lost: null,
  gapNs: null,
  gapStartNs: null,
  gapEndNs: null,
  lowerNs: null,
  upperNs: null,
}
/** Sent at 1005 … 1095 ms. */
const inGap = (i: number): boolean => i >= 100 && i < 110

describe('the figures around a switch-over', () => {
  it('count the requests that the gap swallowed, and put brackets around it', () => {
    expect(measureEcho(pings(inGap), SPAN, 1)).toEqual({
      vantage: 'client',
      intervalNs: 10 * MS,
      sent: 200,
      lost: 10,
      gapNs: 110 * MS,
      gapStartNs: 996 * MS,
      gapEndNs: 1106 * MS,
      lowerNs: 90 * MS,
      upperNs: 110 * MS,
    } satisfies EchoFigures)
  })

  it('leave out what was lost elsewhere', () => {
    const figures = measureEcho(
      pings((i) => inGap(i) || i === 40 || i === 150),
      SPAN,
      1,
    )
    expect(figures).toMatchObject({ lost: 10, lowerNs: 90 * MS })
  })

  it('end with the answer when the first request after the gap waited for the guest', () => {
    const exchanges = pings(inGap)
    exchanges[108] = { sequence: 109, sentNs: 1085 * MS, replyNs: 1101 * MS }
    exchanges[109] = { sequence: 110, sentNs: 1095 * MS, replyNs: 1101.1 * MS }
    expect(measureEcho(exchanges, SPAN, 1)).toMatchObject({ lost: 8, lowerNs: 70 * MS, upperNs: 106 * MS })
  })

  it('count what was lost behind a request that waited', () => {
    const exchanges = pings(inGap)
    exchanges[100] = { sequence: 101, sentNs: 1005 * MS, replyNs: 1101 * MS }
    expect(measureEcho(exchanges, SPAN, 1)).toMatchObject({ lost: 9, gapNs: 105 * MS, upperNs: 106 * MS })
  })

  it('have nothing lost when the client asks too seldom', () => {
    const slow = pings(() => false).filter((_, i) => i % 50 === 30)
    const exchanges = slow.map((exchange, sequence) => ({ ...exchange, sequence }))
    const figures = measureEcho(exchanges, SPAN, 1)
    expect(figures).toMatchObject({ vantage: 'client', lost: 0, lowerNs: 0, upperNs: 500 * MS })
  })
})

describe('a capture point that does not see what was lost', () => {
  it('is the source, when nothing is answered any more', () => {
    const figures = measureEcho(
      pings((i) => i >= 100, { count: 110 }),
      SPAN,
      1,
    )
    expect(figures).toEqual({ ...BLIND, vantage: 'source', intervalNs: 10 * MS })
    const none = measureEcho(
      pings(() => false, { count: 100 }),
      SPAN,
      1,
    )
    expect(none).toEqual({ ...BLIND, vantage: 'source', intervalNs: 10 * MS })
  })

  it('is the source, when the guest comes back later and the numbers in between are missing', () => {
    const exchanges = pings((i) => inGap(i), { unseen: (i) => i >= 106 && i < 150 })
    expect(measureEcho(exchanges, SPAN, 1)).toEqual({ ...BLIND, vantage: 'source', intervalNs: 10 * MS })
  })

  it('is the destination, when all is answered from the middle of a conversation on', () => {
    const exchanges = pings(() => false, { unseen: (i) => i < 110 })
    expect(measureEcho(exchanges, SPAN, 111)).toEqual({
      ...BLIND,
      vantage: 'destination',
      intervalNs: 10 * MS,
    })
  })

  it('is unknown, when the client began after the move, or the guest stays silent', () => {
    expect(
      measureEcho(
        pings(() => false, { unseen: (i) => i < 110 }),
        SPAN,
        1,
      )?.vantage,
    ).toBe('unknown')
    expect(
      measureEcho(
        pings((i) => i >= 100, { count: 400 }),
        SPAN,
        1,
      ),
    ).toMatchObject({
      ...BLIND,
      vantage: 'unknown',
    })
  })

  it('says nothing when the client had stopped before', () => {
    expect(
      measureEcho(
        pings(() => false, { count: 60 }),
        SPAN,
        1,
      ),
    ).toBeNull()
    expect(measureEcho([], SPAN, 1)).toBeNull()
  })
})

it('the figures agree with a plain count for any stop, resume and spacing', () => {
  const ms = (min: number, max: number) => fc.double({ min, max, noNaN: true })
  fc.assert(
    fc.property(ms(500, 1500), ms(20, 900), ms(2, 40), (stop, downtime, interval) => {
      const resume = stop + downtime
      const exchanges: Exchange[] = []
      let lost = 0
      for (let i = 0; i * interval < 3500; i++) {
        const sent = i * interval
        const isLost = sent >= stop && sent < resume
        if (isLost) lost++
        exchanges.push({ sequence: i, sentNs: sent * MS, replyNs: isLost ? null : sent * MS })
      }
      const span = {
        stopLowerNs: (stop - 5) * MS,
        stopUpperNs: stop * MS,
        resumeLowerNs: resume * MS,
        resumeUpperNs: (resume + 1) * MS,
      }
      const figures = measureEcho(exchanges, span, 0)
      expect(figures?.vantage).toBe('client')
      expect(figures?.lost).toBe(lost)
      expect(figures?.lowerNs).toBeLessThanOrEqual(downtime * MS + 1)
      expect(figures?.upperNs).toBeGreaterThanOrEqual(downtime * MS - 1)
    }),
  )
})

describe('the requests remembered of a conversation', () => {
  it('go on counting when the sixteen bits wrap around', () => {
    const ring = new EchoRing()
    for (const [i, sequence] of [65534, 65535, 0, 1].entries()) {
      ring.request(sequence, i * 10)
      ring.reply(sequence, i * 10 + 1)
    }
    expect(ring.between(...ALL).map(({ sequence }) => sequence)).toEqual([65534, 65535, 65536, 65537])
  })

  it('take the first of copies, and the first reply', () => {
    const ring = new EchoRing()
    ring.request(5, 10)
    ring.request(5, 12)
    ring.reply(5, 20)
    ring.reply(5, 30)
    expect(ring.between(...ALL)).toEqual([{ sequence: 5, sentNs: 10, replyNs: 20 }])
  })

  it('take a reply that is captured before its request', () => {
    const ring = new EchoRing()
    ring.reply(5, 20)
    ring.request(5, 21)
    expect(ring.between(...ALL)).toEqual([{ sequence: 5, sentNs: 21, replyNs: 20 }])
  })

  it('tell a client that begins again with the same numbers from a copy', () => {
    const ring = new EchoRing()
    for (const sequence of [1, 2, 3]) ring.request(sequence, sequence * 1e9)
    for (const sequence of [1, 2]) ring.request(sequence, (10 + sequence) * 1e9)
    expect(ring.between(...ALL).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 5, 6])
  })

  it('hold as many as the limit says, and no more', () => {
    for (const count of [ECHO_REQUESTS_MAX - 1, ECHO_REQUESTS_MAX, ECHO_REQUESTS_MAX + 1]) {
      const ring = new EchoRing()
      for (let i = 0; i < count; i++) ring.request(i & 0xffff, i)
      const held = ring.between(...ALL)
      expect(held.length).toBe(Math.min(count, ECHO_REQUESTS_MAX))
      expect(held.at(-1)?.sequence).toBe(count - 1)
    }
  })

  it('agree with a plain list, for any packets', () => {
    const packet = fc.record({ reply: fc.boolean(), sequence: fc.integer({ min: 0, max: 65_535 }) })
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 200 }), (packets) => {
        const ring = new EchoRing()
        for (const [time, { reply, sequence }] of packets.entries())
          if (reply) ring.reply(sequence, time)
          else ring.request(sequence, time)
        const held = ring.between(...ALL)
        expect(held.length).toBeLessThanOrEqual(ECHO_REQUESTS_MAX)
        for (const { sequence, sentNs, replyNs } of held) {
          for (const [time, isReply] of [
            [sentNs, false],
            [replyNs, true],
          ] as const) {
            if (time === null) continue
            const packet = packets[time]!
            expect(packet.reply).toBe(isReply)
            expect((sequence - packet.sequence) & 0xffff).toBe(0)
          }
        }
      }),
    )
  })
})
