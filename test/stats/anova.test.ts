import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kruskalWallis, type Observation, oneWayAnova, twoWayAnova } from '../../src/stats/anova.ts'
import { welchTest } from '../../src/stats/compare.ts'
import { CARS, OZONE, TEETH, WAFERS } from './published.ts'

describe('one-way analysis of variance', () => {
  it('gives the certified table of NIST for wafers', () => {
    // NIST StRD, SiRstv
    const anova = oneWayAnova(WAFERS)
    expect(anova?.n).toBe(25)
    expect(anova?.between.df).toBe(4)
    expect(anova?.within.df).toBe(20)
    expectDigits(anova?.between.ss, 5.11462616e-2, 9)
    expectDigits(anova?.within.ss, 2.1663656e-1, 9)
    expectDigits(anova?.between.f, 1.18046237440255, 9)
    expectDigits(anova?.between.eta_squared, 1.90999039051129e-1, 9)
    expect((anova?.between.ss ?? 0) + (anova?.within.ss ?? 0)).toBeCloseTo(anova?.total.ss as number, 12)
  })

  it.each([
    ['SmLs01', 1, 10],
    ['SmLs04', 1e6, 8],
    ['SmLs07', 1e12, 2],
  ])('gives the certified F of NIST for %s: values a little above %d', (_, base, digits) => {
    // NIST StRD, SmLs01 to SmLs09: nine treatments of 21 values, F = 21, p far below all tables.
    const steps = [0.4, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5]
    const anova = oneWayAnova(
      steps.map((step) => [
        base + step,
        ...Array.from({ length: 20 }, (_, i) => base + (i % 2 ? step + 0.1 : step - 0.1)),
      ]),
    )
    expect(anova?.n).toBe(189)
    expectDigits(anova?.between.f, 21, digits)
    expectDigits(anova?.between.eta_squared, 4.82758620689655e-1, digits)
  })

  it('has the p of the F distribution', () => {
    // scipy 1.17.1: f_oneway
    expectDigits(oneWayAnova(WAFERS)?.between.p, 0.3494474934, 6)
  })

  it('of two groups of the same size agrees with the test of two means', () => {
    const [one, other] = [WAFERS[0] as number[], WAFERS[1] as number[]]
    const t = welchTest(one, other)?.t as number
    expectDigits(oneWayAnova([one, other])?.between.f, t ** 2, 9)
  })

  it('without spread within groups has no F, and explains all', () => {
    const anova = oneWayAnova([
      [0.1, 0.1, 0.1],
      [0.3, 0.3, 0.3, 0.3],
    ])
    expect(anova?.between).toMatchObject({ f: null, p: null })
    expect(anova?.within.ss).toBe(0)
    expect(anova?.between.eta_squared).toBeCloseTo(1, 12)
    expect(
      oneWayAnova([
        [5, 5],
        [5, 5],
      ])?.between,
    ).toMatchObject({ ss: 0, f: null, eta_squared: null })
  })

  it('without repetition has no F', () => {
    expect(oneWayAnova([[1], [2], [4]])?.between).toMatchObject({ df: 2, f: null, p: null })
  })

  it('needs two groups with values', () => {
    expect(oneWayAnova([])).toBeNull()
    expect(oneWayAnova([[1, 2, 3], []])).toBeNull()
    expect(oneWayAnova([[1, 2, 3], [], [2, 3]])?.between.df).toBe(1)
  })
})

describe('two-way analysis of variance', () => {
  it('gives what R prints for balanced data', () => {
    // R: anova(lm(len ~ supp * factor(dose), data = ToothGrowth))
    const anova = twoWayAnova(observationsOf(TEETH))
    expect(anova).toMatchObject({
      n: 60,
      balanced: true,
      empty_cells: 0,
      error: { df: 54 },
      total: { df: 59 },
    })
    expect(anova?.error.ss).toBeCloseTo(712.11, 2)
    expect(anova?.a.df).toBe(1)
    expect(anova?.a.ss).toBeCloseTo(205.35, 2)
    expect(anova?.a.f).toBeCloseTo(15.572, 3)
    expect(anova?.a.p).toBeCloseTo(0.000231, 6)
    expect(anova?.b.df).toBe(2)
    expect(anova?.b.ss).toBeCloseTo(2426.43, 2)
    expect(anova?.b.f).toBeCloseTo(92, 3)
    expect(anova?.b.p).toBeLessThan(2e-16)
    expect(anova?.interaction?.df).toBe(2)
    expect(anova?.interaction?.ss).toBeCloseTo(108.32, 2)
    expect(anova?.interaction?.f).toBeCloseTo(4.107, 3)
    expect(anova?.interaction?.p).toBeCloseTo(0.02186, 6)
  })

  it('gives the published type II table for unbalanced data', () => {
    // R, type II tests of aov(hp ~ cyl * am, data = mtcars): documentation of CGPfunctions::aovtype2
    const anova = twoWayAnova(observationsOf(CARS))
    expect(anova).toMatchObject({ n: 32, balanced: false, empty_cells: 0, error: { df: 26 } })
    expect(anova?.error.ss).toBeCloseTo(22197, 0)
    expect(anova?.a.df).toBe(2)
    expect(anova?.a.ss).toBeCloseTo(102729, 0)
    expect(anova?.a.f).toBeCloseTo(60.1644, 4)
    expectDigits(anova?.a.p, 1.759e-10, 4)
    expect(anova?.b.df).toBe(1)
    expect(anova?.b.ss).toBeCloseTo(7318, 0)
    expect(anova?.b.f).toBeCloseTo(8.5716, 4)
    expect(anova?.b.p).toBeCloseTo(0.007009, 6)
    expect(anova?.interaction?.df).toBe(2)
    expect(anova?.interaction?.ss).toBeCloseTo(12181, 0)
    expect(anova?.interaction?.f).toBeCloseTo(7.1341, 4)
    expect(anova?.interaction?.p).toBeCloseTo(0.00339, 6)
  })

  it('gives shares of what varies', () => {
    const anova = twoWayAnova(observationsOf(TEETH))
    const total = anova?.total.ss as number
    expect(total).toBeCloseTo(3452.209, 3)
    expect(anova?.a.eta_squared).toBeCloseTo(205.35 / total, 6)
    expect(anova?.a.partial_eta_squared).toBeCloseTo(205.35 / (205.35 + 712.106), 6)
  })

  const level = fc.constantFrom('x', 'y', 'z')
  const observation = fc.record({ a: level, b: level, value: fc.double({ min: 0, max: 100, noNaN: true }) })

  it('treats both factors alike, whatever is missing', () => {
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 40 }), (observations) => {
        const there = twoWayAnova(observations)
        const back = twoWayAnova(observations.map(({ a, b, value }) => ({ a: b, b: a, value })))
        expect(there === null).toBe(back === null)
        if (there === null || back === null) return
        const tolerance = 1e-9 * (1 + there.total.ss)
        expect(Math.abs(there.a.ss - back.b.ss)).toBeLessThan(tolerance)
        expect(Math.abs(there.b.ss - back.a.ss)).toBeLessThan(tolerance)
        expect(Math.abs((there.interaction?.ss ?? 0) - (back.interaction?.ss ?? 0))).toBeLessThan(tolerance)
        expect(there.empty_cells).toBe(back.empty_cells)
      }),
    )
  })

  it('of balanced data has sums of squares that add up', () => {
    const values = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 12, maxLength: 12 })
    fc.assert(
      fc.property(values, (list) => {
        const observations = list.map((value, i) => ({ a: `${i % 2}`, b: `${Math.floor(i / 2) % 3}`, value }))
        const anova = twoWayAnova(observations)
        const sum = [anova?.a, anova?.b, anova?.interaction, anova?.error].reduce(
          (ss, part) => ss + (part?.ss ?? 0),
          0,
        )
        expect(anova?.balanced).toBe(true)
        expect(Math.abs(sum - (anova?.total.ss as number))).toBeLessThan(1e-9 * (1 + sum))
      }),
    )
  })

  it('of unbalanced data asks what a factor adds to the other', () => {
    // The values depend on b alone; a only looks as if it mattered, because it comes with b.
    const anova = twoWayAnova([
      ...repeat('low', 'left', [1, 2, 3, 2, 1, 3]),
      ...repeat('low', 'right', [11, 12]),
      ...repeat('high', 'left', [1, 3]),
      ...repeat('high', 'right', [11, 12, 13, 12, 11, 13]),
    ])
    expect(anova?.b.p).toBeLessThan(1e-6)
    expect(anova?.a.p).toBeGreaterThan(0.5)
  })

  it('with empty cells has an interaction of what is left', () => {
    const cells = [
      ...repeat('1', 'x', [1, 2]),
      ...repeat('1', 'y', [3, 5]),
      ...repeat('2', 'x', [2, 4]),
      ...repeat('2', 'y', [6, 7]),
      ...repeat('3', 'y', [8, 9]),
    ]
    expect(twoWayAnova(cells)).toMatchObject({ empty_cells: 1, balanced: false, interaction: { df: 1 } })
    const fewer = cells.filter(({ a, b }) => a !== '2' || b !== 'x')
    expect(twoWayAnova(fewer)).toMatchObject({
      empty_cells: 2,
      interaction: null,
      a: { df: 2 },
      b: { df: 1 },
    })
  })

  it('cannot tell factors apart that change together', () => {
    expect(twoWayAnova([...repeat('1', 'x', [1, 2, 3]), ...repeat('2', 'y', [4, 5, 6])])).toBeNull()
    const islands = [
      ...repeat('1', 'w', [1, 2]),
      ...repeat('1', 'x', [1, 3]),
      ...repeat('2', 'y', [4, 5]),
      ...repeat('2', 'z', [4, 6]),
    ]
    expect(twoWayAnova(islands)).toBeNull()
  })

  it('without repetition has no F', () => {
    const once = [
      ...repeat('1', 'x', [1]),
      ...repeat('1', 'y', [2]),
      ...repeat('2', 'x', [3]),
      ...repeat('2', 'y', [9]),
    ]
    expect(twoWayAnova(once)).toMatchObject({
      error: { df: 0 },
      a: { f: null, p: null },
      interaction: { f: null },
    })
  })

  it('needs two levels of each factor', () => {
    expect(twoWayAnova([])).toBeNull()
    expect(twoWayAnova([...repeat('1', 'x', [1, 2]), ...repeat('2', 'x', [3, 4])])).toBeNull()
  })
})

describe("Kruskal and Wallis' test", () => {
  it('gives what R prints for values without ties', () => {
    // ?kruskal.test, mucociliary efficiency (Hollander & Wolfe 1973): chi² = 0.77143, df = 2, p = 0.68
    const test = kruskalWallis([
      [2.9, 3, 2.5, 2.6, 3.2],
      [3.8, 2.7, 4, 2.4],
      [2.8, 3.4, 3.7, 2.2, 2],
    ])
    expect(test?.h).toBeCloseTo(0.77143, 5)
    expect(test?.df).toBe(2)
    expect(test?.p).toBeCloseTo(0.68, 3)
    expect(test?.eta_squared).toBe(0)
  })

  it('gives what R prints for values with ties', () => {
    // ?kruskal.test, Ozone ~ Month: chi² = 29.267, df = 4, p = 6.901e-06
    const test = kruskalWallis(Object.values(OZONE))
    expect(test).toMatchObject({ n: 116, df: 4 })
    expect(test?.h).toBeCloseTo(29.267, 3)
    expectDigits(test?.p, 6.901e-6, 4)
    expect(test?.eta_squared).toBeCloseTo((29.2666 - 4) / 111, 5)
  })

  it('does not depend on anything but the order of values', () => {
    const cubes = Object.values(OZONE).map((values) => values.map((value) => value ** 3 - 5))
    expect(kruskalWallis(cubes)).toEqual(kruskalWallis(Object.values(OZONE)))
  })

  it('of equal values shows nothing', () => {
    expect(
      kruskalWallis([
        [3, 3],
        [3, 3, 3],
      ]),
    ).toEqual({ n: 5, h: 0, df: 1, p: 1, eta_squared: 0 })
  })

  it('needs two groups with values', () => {
    expect(kruskalWallis([[1, 2], []])).toBeNull()
    expect(kruskalWallis([[1], [2]])).toMatchObject({ h: 1, df: 1, eta_squared: null })
  })
})

/** Holds a figure against one that was published with so many digits. */
function expectDigits(figure: number | null | undefined, published: number, digits: number): void {
  expect(Math.abs((figure ?? Number.NaN) / published - 1), `${figure} for ${published}`).toBeLessThan(
    10 ** (1 - digits),
  )
}

function repeat(a: string, b: string, values: readonly number[]): Observation[] {
  return values.map((value) => ({ a, b, value }))
}

function observationsOf(
  cells: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>,
): Observation[] {
  return Object.entries(cells).flatMap(([a, row]) =>
    Object.entries(row).flatMap(([b, values]) => repeat(a, b, values)),
  )
}
