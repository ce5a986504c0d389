import { describe, expect, test } from 'vitest'
import { BodyBudget } from '../../../src/core/body-budget.ts'
import { LIBVIRT_BODY_MAX } from '../../../src/core/limits.ts'
import { Body } from '../../../src/protocols/libvirt/body.ts'
import { args, call, message } from '../../support/libvirt.ts'
import { decode } from './subject.ts'

const fill = (size: number) => new Uint8Array(size).fill(7)

describe('body', () => {
  test('keeps what comes, up to the first gap, and the last words', () => {
    const body = new Body(new BodyBudget(), 100)
    body.push(Uint8Array.of(9, 1, 2, 3, 9), 1, 4)
    body.gap()
    body.push(Uint8Array.of(0, 0, 0, 5, 0, 0, 0, 6), 0, 8)
    expect(Array.from(body.bytes.subarray(0, body.kept))).toEqual([1, 2, 3])
    expect([body.tailWord(4), body.tailWord(8), body.tailWord(12)]).toEqual([6, 5, null])
    expect(body.stop).toBe('gap')
  })

  test.each([LIBVIRT_BODY_MAX - 1, LIBVIRT_BODY_MAX, LIBVIRT_BODY_MAX + 1])('of %d bytes', (size) => {
    const budget = new BodyBudget()
    const body = new Body(budget, size)
    body.push(fill(size), 0, size)
    expect(body.kept).toBe(Math.min(size, LIBVIRT_BODY_MAX))
    expect(body.stop).toBe(size > LIBVIRT_BODY_MAX ? 'limit' : null)
    expect(budget.used).toBe(body.kept)
    body.release()
    expect(budget.used).toBe(0)
  })

  test.each([1024, 1023])('within a budget of %d', (max) => {
    const budget = new BodyBudget(max)
    const body = new Body(budget, 2000)
    body.push(fill(1000), 0, 1000)
    expect(body.stop).toBe(max === 1024 ? null : 'budget')
    body.push(fill(1000), 0, 1000)
    expect(body.stop).toBe('budget')
    body.release()
    expect(budget.used).toBe(0)
  })

  test('memory follows the bytes that came, not the claimed length', () => {
    const budget = new BodyBudget()
    const body = new Body(budget, 32 * 1024 * 1024)
    expect(budget.used).toBe(0)
    for (let i = 0; i < 3000; i++) body.push(fill(1), 0, 1)
    expect(budget.used).toBe(4096)
  })
})

describe('a message whose body was not kept whole', () => {
  const finish = args.finish3({ name: 'vm1', cookie: 'x'.repeat(4000), uri: null, flags: 1, cancelled: 1 })

  test('is still an event, with its last words, and one diagnostic', () => {
    const bodies = new BodyBudget(1024)
    const subject = decode([call(217, 1, finish), call(217, 2, finish)], { bodies })
    expect(subject.events).toMatchObject([{ arguments: { cancelled: true, flags: 1 } }, { serial: 2 }])
    expect(subject.diagnostics.list()).toMatchObject([{ code: 'libvirt.body-limit', count: 2 }])
    expect(bodies.used).toBe(0)
  })

  test('beyond LIBVIRT_BODY_MAX too', () => {
    const header = { procedure: 217, type: 0, serial: 1, status: 0 }
    const subject = decode([message(header, fill(LIBVIRT_BODY_MAX + 4))])
    expect(subject.events).toHaveLength(1)
    expect(subject.codes()).toEqual(['libvirt.body-limit'])
  })
})
