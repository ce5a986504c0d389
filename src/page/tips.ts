import { button, copyText, el } from './dom.ts'

/** What marks of a figure are, beside the pointer and for the keyboard. A mark says it in its title. */

const tip = el('div', { class: 'tip', role: 'tooltip', hidden: true })

/** Where it was told; titles are taken out so that browsers do not show them too. */
const told = new WeakMap<Element, string>()

/** Shows what a mark is while the pointer is on it. */
export function followPointer(drawn: SVGSVGElement): void {
  if (!tip.isConnected) document.body.append(tip)
  for (const title of drawn.querySelectorAll('title')) {
    const mark = title.parentElement
    if (mark === null) continue
    told.set(mark, title.textContent ?? '')
    mark.setAttribute('data-told', '')
    title.remove()
  }
  drawn.addEventListener('pointermove', (event) => {
    const text = textOf(event.target)
    if (text === null) tip.hidden = true
    else show(text, event.clientX, event.clientY)
  })
  drawn.addEventListener('pointerleave', () => {
    tip.hidden = true
  })
}

function textOf(target: EventTarget | null): string | null {
  const mark = target instanceof Element ? target.closest('[data-told]') : null
  return mark === null ? null : (told.get(mark) ?? null)
}

const AWAY = 14

function show(text: string, x: number, y: number): void {
  tip.textContent = text
  tip.hidden = false
  const { width, height } = tip.getBoundingClientRect()
  const left = x + AWAY + width > innerWidth ? Math.max(4, x - AWAY - width) : x + AWAY
  const top = y + AWAY + height > innerHeight ? Math.max(4, y - AWAY - height) : y + AWAY
  tip.style.left = `${left}px`
  tip.style.top = `${top}px`
}

/** One stop for the tab key; arrows go from mark to mark, in the order of rows and time. What is chosen stays below the figure,
 *  with its filter to be copied. */
export function makeWalkable(drawn: SVGSVGElement, panel: HTMLElement): void {
  const marks = inReadingOrder([...drawn.querySelectorAll<SVGElement>('[data-told]')])
  marks.forEach((mark, index) => {
    mark.setAttribute('tabindex', index === 0 ? '0' : '-1')
    mark.setAttribute('role', 'button')
    mark.setAttribute('aria-label', told.get(mark) ?? '')
    mark.addEventListener('click', () => choose(mark, panel))
    mark.addEventListener('focus', () => {
      for (const other of marks) other.setAttribute('tabindex', other === mark ? '0' : '-1')
      const { left, bottom } = mark.getBoundingClientRect()
      if (mark.matches(':focus-visible')) show(told.get(mark) ?? '', left, bottom)
    })
    mark.addEventListener('blur', () => {
      tip.hidden = true
    })
  })
  drawn.addEventListener('keydown', (event) => {
    const index = marks.indexOf(event.target as SVGElement)
    if (index < 0) return
    const next = STEPS[event.key]
    if (next !== undefined) marks.at((index + next + marks.length) % marks.length)?.focus()
    else if (event.key === 'Home') marks[0]?.focus()
    else if (event.key === 'End') marks.at(-1)?.focus()
    else if (event.key === 'Escape') tip.hidden = true
    else if (event.key === 'Enter' || event.key === ' ') choose(marks[index], panel)
    else return
    event.preventDefault()
  })
}

/** By row, then by time. Marks of one row differ by a few pixels in height. */
function inReadingOrder(marks: readonly SVGElement[]): SVGElement[] {
  const placed = marks.map((mark) => {
    const { left, top, bottom } = mark.getBoundingClientRect()
    return { mark, left, row: Math.round((top + bottom) / 2 / ROW_APART) }
  })
  return placed.sort((a, b) => a.row - b.row || a.left - b.left).map(({ mark }) => mark)
}

/** Pixels; rows are farther apart. */
const ROW_APART = 11

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

const FILTER = /^Wireshark: (.+)$/m

function choose(mark: SVGElement | undefined, panel: HTMLElement): void {
  const text = mark === undefined ? '' : (told.get(mark) ?? '')
  const [, filter] = FILTER.exec(text) ?? []
  panel.replaceChildren(el('p', {}, text))
  if (filter === undefined) return
  const copy = button('Copy the filter', () => void copyText(filter, copy))
  panel.append(copy)
}
