import { dot, type Markish, type PlotOptions, rect, ruleY, text } from '@observablehq/plot'
import type { Canvas } from './figure.ts'
import { chart, FONT_SIZE, shortened, textWidth } from './svg.ts'

/** What stands for what. */
export interface LegendItem {
  readonly label: string
  readonly colour: string
  /** A box stands for an area; lines and symbols for themselves. */
  readonly symbol:
    | 'box'
    | 'line'
    | 'dashed'
    | 'circle'
    | 'square'
    | 'triangle'
    | 'diamond'
    | 'star'
    | 'wye'
    | 'cross'
    | 'times'
}

const ROW = FONT_SIZE + 8
const SWATCH = 12
const SPACE = 18
const LABEL_MAX = 260

/** Swatches and their labels in as many rows as they need. */
export function legend(canvas: Canvas, items: readonly LegendItem[], marginLeft = 0): SVGSVGElement {
  const width = canvas.width - marginLeft
  let [x, row] = [0, 0]
  const placed = items.map((item) => {
    const label = shortened(item.label, Math.min(LABEL_MAX, width - SWATCH - SPACE))
    const taken = SWATCH + 6 + textWidth(label) + SPACE
    if (x > 0 && x + taken - SPACE > width) [x, row] = [0, row + 1]
    const place = { ...item, label, x, y: row + 0.5 }
    x += taken
    return place
  })
  const rows = row + 1
  const options: PlotOptions = {
    width: canvas.width,
    height: rows * ROW + 6,
    marginLeft,
    marginRight: 0,
    marginTop: 3,
    marginBottom: 3,
    x: { axis: null, domain: [0, width], range: [marginLeft, canvas.width] },
    y: { axis: null, domain: [0, rows], range: [3, rows * ROW + 3] },
    marks: [
      ...placed.map(swatch),
      text(placed, { x: ({ x: left }) => left + SWATCH + 6, y: 'y', text: 'label', textAnchor: 'start' }),
    ],
  }
  return chart(canvas, options)
}

function swatch(item: LegendItem & { readonly x: number; readonly y: number }): Markish {
  const { x, y, colour, symbol } = item
  const [x1, x2] = [x, x + SWATCH]
  if (symbol === 'box')
    return rect([item], {
      x1,
      x2,
      y1: y - 0.3,
      y2: y + 0.3,
      fill: colour,
      stroke: 'currentColor',
      strokeWidth: 0.5,
    })
  if (symbol === 'line' || symbol === 'dashed')
    return ruleY([item], {
      x1,
      x2,
      y,
      stroke: colour,
      strokeWidth: 2,
      ...(symbol === 'dashed' ? { strokeDasharray: '4 2' } : {}),
    })
  // Strokes that cross have nothing to fill.
  const paint = symbol === 'times' ? { stroke: colour } : { fill: colour }
  return dot([item], { x: x + SWATCH / 2, y, ...paint, symbol, r: 4 })
}
