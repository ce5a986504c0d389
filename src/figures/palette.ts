import type { PhaseId } from '../phases/phase.ts'

/** Colours of Okabe and Ito, which people with any kind of colour vision tell apart. Neighbours differ in lightness too, so that
 *  they do in grey print.
 *  @see Okabe & Ito 2008, "Color Universal Design" */
const OKABE_ITO = {
  orange: '#e69f00',
  sky: '#56b4e9',
  green: '#009e73',
  yellow: '#f0e442',
  blue: '#0072b2',
  vermillion: '#d55e00',
  purple: '#cc79a7',
} as const

const GREY = '#8c8c8c'

/** A phase has the same colour in all figures. */
export const PHASE_COLOURS: Readonly<Record<PhaseId, string>> = {
  auth: OKABE_ITO.purple,
  init: OKABE_ITO.orange,
  remote_connect: OKABE_ITO.sky,
  prepare: OKABE_ITO.yellow,
  transfer: OKABE_ITO.blue,
  finish: OKABE_ITO.vermillion,
  cleanup: OKABE_ITO.green,
  post_migration: GREY,
}

/** White reads better on these than black. */
export const DARK_COLOURS: readonly string[] = [OKABE_ITO.blue]

/** What is in no phase is left open. */
export const UNATTRIBUTED_COLOUR = 'none'

/** Parts of the transfer: its own colour, and a light one of the kind. */
const LIGHT_BLUE = '#9fc9e5'
export const ROUND_COLOURS = [LIGHT_BLUE, OKABE_ITO.blue] as const
export const POST_COPY_COLOURS = [LIGHT_BLUE, GREY, OKABE_ITO.blue] as const
export const STORAGE_COLOUR = OKABE_ITO.orange
export const RATE_COLOUR = OKABE_ITO.blue
export const DIRTY_COLOUR = OKABE_ITO.vermillion
/** That of text: black on paper, light on a dark page. */
export const DOWNTIME_COLOUR = 'currentColor'
export const ORDER_COLOUR = GREY

const SERIES_COLOURS = [
  OKABE_ITO.blue,
  OKABE_ITO.vermillion,
  OKABE_ITO.green,
  OKABE_ITO.purple,
  OKABE_ITO.orange,
  OKABE_ITO.sky,
  GREY,
] as const
const SERIES_SYMBOLS = ['circle', 'square', 'triangle', 'diamond', 'star', 'wye', 'cross'] as const

/** How a series is told from others: by colour and, without colours, by symbol. After 49 of them they repeat. */
export interface SeriesStyle {
  readonly colour: string
  readonly symbol: (typeof SERIES_SYMBOLS)[number]
}

export function seriesStyle(index: number): SeriesStyle {
  const round = Math.floor(index / SERIES_COLOURS.length)
  return {
    colour: at(SERIES_COLOURS, index),
    symbol: at(SERIES_SYMBOLS, index + round),
  }
}

/** Of a list that begins anew after its end. */
export function at<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length]
  if (found === undefined) throw new RangeError('an empty list')
  return found
}
