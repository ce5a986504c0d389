import { parseHTML } from 'linkedom'
import type { Canvas, Figure } from '../../src/figures/index.ts'

/** A document without a browser. */
export const CANVAS: Canvas = { document: parseHTML('<!doctype html><html></html>').document, width: 800 }

export function drawn(figure: Figure | null | undefined): SVGSVGElement {
  if (figure == null) throw new Error('no figure')
  return figure.draw(CANVAS)
}

/** What marks say of themselves, with their element. */
export function told(svg: SVGSVGElement): { readonly mark: Element; readonly text: string }[] {
  return [...svg.querySelectorAll('title')]
    .slice(1) // of the figure itself
    .map((title) => ({ mark: title.parentElement!, text: title.textContent ?? '' }))
}

export function numberOf(element: Element, attribute: string): number {
  return Number(element.getAttribute(attribute))
}

/** Everything that is written in a figure. */
export function textsOf(svg: SVGSVGElement): string[] {
  return [...svg.querySelectorAll('text')].map((text) => text.textContent ?? '')
}
