import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import { EVENTS_PENDING_MAX } from '../../src/core/limits.ts'
import type { ProtocolEvent } from '../../src/events/event.ts'
import { EventQueue } from '../../src/pipeline/event-queue.ts'

/** An event that a packet completes; `mac` tells events apart. */
function event(packet: number, mac = ''): ProtocolEvent {
  const at = { packet, timeNs: 0 }
  return { type: 'rarp.announce', mac, first: at, last: at }
}

class Subject {
  readonly handed: ProtocolEvent[] = []
  readonly diagnostics = new Diagnostics()
  horizon = Number.POSITIVE_INFINITY
  readonly queue = new EventQueue(
    (event) => this.handed.push(event),
    () => this.horizon,
    this.diagnostics,
  )

  get packets(): number[] {
    return this.handed.map((each) => each.last.packet)
  }
}

describe('events', () => {
  test('are handed on at once while nothing is missing', () => {
    const subject = new Subject()
    subject.queue.add(event(3))
    subject.queue.release()
    expect(subject.packets).toEqual([3])
    expect(subject.queue.size).toBe(0)
  })

  test('wait for what may still come before them, and no longer', () => {
    const subject = new Subject()
    subject.horizon = 5
    for (const packet of [4, 5, 6]) subject.queue.add(event(packet))
    subject.queue.release()
    expect(subject.packets).toEqual([4])
    subject.queue.add(event(5, 'late'))
    subject.horizon = Number.POSITIVE_INFINITY
    subject.queue.release()
    expect(subject.packets).toEqual([4, 5, 5, 6])
    expect(subject.handed[2]).toMatchObject({ mac: 'late' })
  })

  test('whatever holes open and fill, come in the order of their packets, each once; those of one packet as raised', () => {
    /** At each packet: how many events it completes at once, how many behind a hole, and whether holes open or fill. */
    const step = fc.record({
      now: fc.nat(2),
      behindHole: fc.nat(2),
      hole: fc.constantFrom('open', 'fill', 'stay', 'stay' as const),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const subject = new Subject()
        const raised: ProtocolEvent[] = []
        let held: ProtocolEvent[] = []
        const raise = (each: ProtocolEvent): void => {
          raised.push(each)
          subject.queue.add(each)
        }
        steps.forEach(({ now, behindHole, hole }, index) => {
          const packet = index + 1
          if (hole === 'open') subject.horizon = Math.min(subject.horizon, packet)
          if (hole === 'fill') {
            subject.horizon = Number.POSITIVE_INFINITY
            for (const each of held) raise(each)
            held = []
          }
          for (let i = 0; i < now; i++) raise(event(packet, `now ${i}`))
          for (let i = 0; i < behindHole && subject.horizon <= packet; i++)
            held.push(event(packet, `held ${i}`))
          subject.queue.release()
          expect(subject.packets.every((each) => each < subject.horizon)).toBe(true)
          expect(subject.queue.size + subject.handed.length).toBe(raised.length)
        })
        subject.queue.flush()
        expect(subject.handed).toEqual(raised.toSorted((a, b) => a.last.packet - b.last.packet))
      }),
      { seed: 4, numRuns: 1000 },
    )
  })
})

describe('memory', () => {
  const filled = (count: number): Subject => {
    const subject = new Subject()
    subject.horizon = 1
    for (let packet = 1; packet <= count; packet++) subject.queue.add(event(packet))
    subject.queue.release()
    return subject
  }

  test('at the limit, all events wait', () => {
    const subject = filled(EVENTS_PENDING_MAX)
    expect(subject.handed).toEqual([])
    expect(subject.diagnostics.list()).toEqual([])
  })

  test('one above the limit, the older half is handed on, and that is said', () => {
    const subject = filled(EVENTS_PENDING_MAX + 1)
    expect(subject.handed).toHaveLength(EVENTS_PENDING_MAX / 2)
    expect(subject.diagnostics.list()).toMatchObject([{ code: 'events.order', packet: 1 }])
    subject.queue.flush()
    expect(subject.packets).toEqual(Array.from({ length: EVENTS_PENDING_MAX + 1 }, (_, i) => i + 1))
  })
})
