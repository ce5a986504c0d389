import { axisX, gridX, type Markish, type PlotOptions, rect } from '@observablehq/plot'
import type { Canvas } from './figure.ts'
import { DOWNTIME_COLOUR } from './palette.ts'
import { belowAxis } from './svg.ts'

/** Seconds after the capture's first packet: what of time a picture shows. */
export type Domain = readonly [from: number, to: number]

/** What the pictures of a timeline have in common. */
export interface Frame {
  readonly canvas: Canvas
  readonly domain: Domain
  readonly marginLeft: number
  /** Nothing, or where the guest was stopped. */
  readonly downtime: readonly Stretch[]
}

export interface Stretch {
  readonly from: number
  readonly to: number
}

/** Whether anything of a stretch is in the domain. */
export function within([start, end]: Domain): (stretch: Stretch) => boolean {
  return ({ from, to }) => to >= start && from <= end
}

/** The part of a stretch that is in the domain. */
export function clipped([start, end]: Domain): <T extends Stretch>(stretch: T) => T {
  return (stretch) => ({
    ...stretch,
    from: Math.max(start, stretch.from),
    to: Math.min(end, stretch.to),
  })
}

/** Pixels, for what the last tick's label takes. */
const RIGHT = 24

/** Pixels. */
export function secondWidth({ canvas, domain, marginLeft }: Frame): number {
  return (canvas.width - marginLeft - RIGHT) / (domain[1] - domain[0])
}

/** @param withAxis it is the lowest one, which the axis stands below */
export function common({ canvas, domain, marginLeft }: Frame, withAxis: boolean): PlotOptions {
  return {
    width: canvas.width,
    marginLeft,
    marginRight: RIGHT,
    marginTop: 6,
    marginBottom: withAxis ? 42 : 8,
    x: { domain: [...domain], axis: null },
  }
}

/** What lies behind all else: the downtime and lines of the axis. */
export function axisMarks({ canvas, domain, marginLeft, downtime }: Frame, withAxis: boolean): Markish[] {
  // A tick needs as much room as its label.
  const ticks = Math.max(2, Math.floor((canvas.width - marginLeft - RIGHT) / 90))
  return [
    gridX({ ticks }),
    rect(downtime.filter(within(domain)).map(clipped(domain)), {
      x1: 'from',
      x2: 'to',
      fill: DOWNTIME_COLOUR,
      fillOpacity: 0.1,
    }),
    ...(withAxis ? [axisX({ ticks, ...belowAxis("Time after the capture's first packet (s)") })] : []),
  ]
}
