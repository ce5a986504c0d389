import { expect, test } from 'vitest'
import { Ledger } from '../../src/net/ledger.ts'

const totals = (wireBytes: number, payloadBytes: number) => ({ wireBytes, payloadBytes })

function ledger(size: number, packets: readonly number[]): Ledger {
  const books = new Ledger(size)
  for (const packet of packets)
    books.add(packet, totals(packet * 10, packet), totals(packet * 20, packet * 2))
  return books
}

test('totals are those after the last packet up to the one asked for', () => {
  const books = ledger(8, [3, 5, 9])
  expect(books.upTo(5)).toEqual({ low: totals(50, 5), high: totals(100, 10) })
  expect(books.upTo(8)).toEqual(books.upTo(5))
  expect(books.upTo(100)).toEqual({ low: totals(90, 9), high: totals(180, 18) })
})

test('before the first packet nothing had passed', () => {
  expect(ledger(8, [3, 5]).upTo(2)).toEqual({ low: totals(0, 0), high: totals(0, 0) })
  expect(new Ledger(4).upTo(7)).toEqual({ low: totals(0, 0), high: totals(0, 0) })
})

test('for what is forgotten the oldest packet remembered stands', () => {
  const books = ledger(3, [1, 2, 3, 4, 5])
  expect(books.upTo(3)).toEqual({ low: totals(30, 3), high: totals(60, 6) })
  expect(books.upTo(1)).toEqual(books.upTo(3))
})
