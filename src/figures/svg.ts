import { type PlotOptions, plot } from '@observablehq/plot'
import type { Canvas } from './figure.ts'

const NAMESPACE = 'http://www.w3.org/2000/svg'

/** Sans-serif faces that papers and browsers have. */
const FONT = 'Helvetica, Arial, "Liberation Sans", sans-serif'
export const FONT_SIZE = 11

/** Width of a text in pixels, about: no document is asked, so that the same figure comes out everywhere. */
export function textWidth(text: string): number {
  return text.length * FONT_SIZE * 0.56
}

/** @param width pixels */
export function shortened(text: string, width: number): string {
  const letters = Math.max(3, Math.floor(width / (FONT_SIZE * 0.56)))
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`
}

/** A chart as an element. Its own style sheet is taken out: a page's policy may forbid those, and a paper needs none. */
export function chart({ document }: Canvas, options: PlotOptions): SVGSVGElement {
  const drawn = plot({ ...options, document, style: { fontSize: `${FONT_SIZE}px` } })
  drawn.querySelector('style')?.remove()
  drawn.setAttribute('font-size', `${FONT_SIZE}`)
  drawn.removeAttribute('style')
  drawn.removeAttribute('class')
  drawn.setAttribute('overflow', 'visible')
  // Without legends and captions, which are drawn here, it is the SVG itself.
  return drawn as SVGSVGElement
}

export function element<K extends keyof SVGElementTagNameMap>(
  { document }: Canvas,
  name: K,
  attributes: Readonly<Record<string, string | number>>,
  text?: string,
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(NAMESPACE, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`)
  if (text !== undefined) made.textContent = text
  return made
}

/** A scale's options for a label in the middle below its axis; margins leave room for it. */
export function belowAxis(label: string) {
  return { label, labelAnchor: 'center', labelArrow: 'none', labelOffset: 36 } as const
}

/** Puts pictures below each other into one. */
export function stacked(
  canvas: Canvas,
  { title, description }: { readonly title: string; readonly description: string },
  parts: readonly SVGSVGElement[],
): SVGSVGElement {
  const height = parts.reduce((sum, part) => sum + heightOf(part), 0)
  const root = element(canvas, 'svg', {
    xmlns: NAMESPACE,
    width: canvas.width,
    height,
    viewBox: `0 0 ${canvas.width} ${height}`,
    role: 'img',
    fill: 'currentColor',
    'font-family': FONT,
    'font-size': FONT_SIZE,
    'text-anchor': 'middle',
  })
  root.append(element(canvas, 'title', {}, title), element(canvas, 'desc', {}, description))
  let y = 0
  for (const part of parts) {
    part.setAttribute('y', `${y}`)
    part.removeAttribute('font-family')
    root.append(part)
    y += heightOf(part)
  }
  return root
}

function heightOf(part: SVGSVGElement): number {
  return Number(part.getAttribute('height'))
}
