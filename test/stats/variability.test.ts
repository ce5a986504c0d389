import { describe, expect, it } from 'vitest'
import { variability } from '../../src/stats/variability.ts'

/** @see Salfner, Tröger & Polze 2011, "Downtime Analysis of Virtual Machine Live Migration", table II: 528 treatments on
 *  XenServer and 352 on VMware, 20 migrations each, in seconds */
const TABLE_2 = [
  {
    name: 'XenServer, migration',
    treatments: 528,
    mean: 89.73,
    ofMeans: 9.01,
    overall: 9.1,
    maxSd: 6.32,
    sd: 39.08,
  },
  {
    name: 'XenServer, downtime',
    treatments: 528,
    mean: 7.69,
    ofMeans: 3.17,
    overall: 3.46,
    maxSd: 0.62,
    sd: 2.94,
  },
  {
    name: 'VMware, migration',
    treatments: 352,
    mean: 30.93,
    ofMeans: 2.24,
    overall: 2.96,
    maxSd: 7.72,
    sd: 7.51,
  },
  {
    name: 'VMware, downtime',
    treatments: 352,
    mean: 3.1,
    ofMeans: 16.27,
    overall: 23.83,
    maxSd: 0.5,
    sd: 1.8,
  },
] as const

/** Mean of the fastest treatment of each study: not published, some value that leaves room for all the rest. */
const FASTEST: Readonly<Record<Row['name'], number>> = {
  'XenServer, migration': 36,
  'XenServer, downtime': 3.85,
  'VMware, migration': 20,
  'VMware, downtime': 0.45,
}

type Row = (typeof TABLE_2)[number]

const REPEATS = 20

/** A study with the figures of a row. Its treatments: the fastest and the slowest, with the smallest and the largest value; one
 *  with the largest SD; the rest without spread, half of them at each of two levels that give mean and SD of the whole. */
function studyOf({ name, treatments, mean, ofMeans, overall, maxSd, sd }: Row): number[][] {
  const fastest = FASTEST[name]
  const slowest = fastest * ofMeans
  // The extremes lie as far beyond those two means, as a ratio, on both sides.
  const beyond = Math.sqrt(overall / ofMeans)
  const spread = maxSd * Math.sqrt((REPEATS - 1) / REPEATS)
  const special = [
    around(fastest, fastest - fastest / beyond),
    around(slowest, slowest * beyond - slowest),
    Array.from({ length: REPEATS }, (_, i) => mean + (i % 2 === 0 ? spread : -spread)),
  ]
  const n = treatments * REPEATS
  const rest = n - special.length * REPEATS
  const sum = special.flat().reduce((total, value) => total + value - mean, 0)
  const squares = special.flat().reduce((total, value) => total + (value - mean) ** 2, 0)
  const centre = -sum / rest
  // As many treatments above as below; an odd one stays in the middle.
  const pairs = Math.floor(rest / REPEATS / 2)
  const step = Math.sqrt(((n - 1) * sd ** 2 - squares - rest * centre ** 2) / (2 * pairs * REPEATS))
  const levels = Array.from({ length: rest / REPEATS }, (_, i) =>
    i === 2 * pairs ? 0 : i % 2 === 0 ? step : -step,
  )
  return [...special, ...levels.map((level) => Array(REPEATS).fill(mean + centre + level))]
}

/** Values with this mean, one of them above and one below by `reach`. */
function around(mean: number, reach: number): number[] {
  return [mean - reach, mean + reach, ...Array(REPEATS - 2).fill(mean)]
}

describe('the variability of a factorial study', () => {
  it.each(TABLE_2)('has the published figures: $name', (row) => {
    const study = studyOf(row)
    const figures = variability(study)
    expect(figures).toMatchObject({ treatments: row.treatments, n: row.treatments * REPEATS })
    expect(figures.mean).toBeCloseTo(row.mean, 8)
    expect(figures.max_min_ratio_of_treatment_means).toBeCloseTo(row.ofMeans, 8)
    expect(figures.max_min_ratio_overall).toBeCloseTo(row.overall, 8)
    expect(figures.treatment_max_sd).toBeCloseTo(row.maxSd, 8)
    expect(figures.overall_sd).toBeCloseTo(row.sd, 8)
  })

  it('is that of a small example', () => {
    expect(
      variability([
        [1, 3],
        [4, 4, 4],
        [6, 10],
      ]),
    ).toEqual({
      treatments: 3,
      n: 7,
      mean: 32 / 7,
      max_min_ratio_of_treatment_means: 4,
      max_min_ratio_overall: 10,
      treatment_max_sd: Math.sqrt(8),
      overall_sd: Math.sqrt((194 - 32 ** 2 / 7) / 6),
    })
  })

  it('of too few values is unknown', () => {
    expect(variability([[], []])).toEqual({
      treatments: 0,
      n: 0,
      mean: null,
      max_min_ratio_of_treatment_means: null,
      max_min_ratio_overall: null,
      treatment_max_sd: null,
      overall_sd: null,
    })
    expect(variability([[3], [], [6]])).toMatchObject({
      treatments: 2,
      mean: 4.5,
      max_min_ratio_of_treatment_means: 2,
      treatment_max_sd: null,
    })
  })
})
