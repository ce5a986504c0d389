import type { Figure } from '../figures/index.ts'
import { button, download, el } from './dom.ts'
import { foldedTable } from './tables.ts'
import { followPointer, makeWalkable } from './tips.ts'

/** Figures are drawn when they come near the screen, anew when their place gets another width, and all of them for the printer. */

interface Place {
  readonly figure: Figure
  readonly holder: HTMLElement
  /** Where chosen evidence stays; null for a figure that is no evidence. */
  readonly chosen: HTMLElement | null
  /** Pixels; 0: not yet. */
  drawnWidth: number
}

const places = new Map<Element, Place>()
const WIDTH_MIN = 320
const WIDTH_MAX = 1200

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      const place = places.get(target)
      if (isIntersecting && place !== undefined) drawIn(place)
    }
  },
  { rootMargin: '400px' },
)

const sized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const place = places.get(target)
    if (place !== undefined && place.drawnWidth > 0 && !printing) drawIn(place)
  }
})

let printing = false
addEventListener('beforeprint', () => {
  for (const place of places.values()) drawIn(place)
  printing = true
})
addEventListener('afterprint', () => {
  printing = false
  for (const place of places.values()) drawIn(place)
})

/** A figure with its caption, its numbers as a table, and a button that saves it.
 *  @param walkable its marks are evidence, to be walked through by keyboard */
export function figureElement(figure: Figure, walkable = false): HTMLElement {
  const holder = el('div', { class: 'drawing' })
  // It outlives what is drawn: a window of another size does not close it.
  const chosen = walkable ? el('div', { class: 'evidence', role: 'status' }) : null
  const place: Place = { figure, holder, chosen, drawnWidth: 0 }
  const save = button('SVG', () => saveSvg(place), { class: 'small', title: 'Save the figure' })
  const made = el(
    'figure',
    {},
    el('figcaption', {}, el('strong', {}, figure.title), save),
    holder,
    chosen,
    foldedTable({ ...figure.data, title: `Numbers: ${figure.data.title}` }, { printed: false }),
  )
  places.set(holder, place)
  near.observe(holder)
  sized.observe(holder)
  return made
}

/** Forgets the figures in an element that goes. */
export function dropFigures(within: Element): void {
  for (const holder of within.querySelectorAll('.drawing')) {
    places.delete(holder)
    near.unobserve(holder)
    sized.unobserve(holder)
  }
}

function drawIn(place: Place): void {
  const { figure, holder, chosen } = place
  const width = Math.round(Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, holder.clientWidth)))
  if (width === place.drawnWidth) return
  const drawn = figure.draw({ document, width })
  describe(drawn, figure, chosen !== null)
  holder.replaceChildren(drawn)
  place.drawnWidth = width
  followPointer(drawn)
  if (chosen !== null) makeWalkable(drawn, chosen)
}

/** Title and description go where they raise no tip over the whole figure. What can be walked through is no single picture. */
function describe(drawn: SVGSVGElement, figure: Figure, walkable: boolean): void {
  for (const name of ['title', 'desc']) drawn.querySelector(`:scope > ${name}`)?.remove()
  drawn.setAttribute('aria-label', figure.title)
  drawn.setAttribute('aria-description', figure.description)
  if (walkable) drawn.setAttribute('role', 'group')
}

/** As a file of its own, with the size of a column of a paper. */
function saveSvg({ figure }: Place): void {
  const drawn = figure.draw({ document, width: SAVED_WIDTH })
  download(`${figure.id}.svg`, 'image/svg+xml', new XMLSerializer().serializeToString(drawn))
}

const SAVED_WIDTH = 800
