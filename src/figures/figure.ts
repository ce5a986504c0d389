import type { Sheet } from '../report/sheet.ts'

/** Where a figure is drawn: a browser's document, or one that stands for it elsewhere. */
export interface Canvas {
  readonly document: Document
  /** Pixels. */
  readonly width: number
}

/** A picture of a part of a report, with the numbers in it. Nothing is drawn before it is asked for. */
export interface Figure {
  /** Without spaces and such: names the file. */
  readonly id: string
  readonly title: string
  /** What is to be seen, in a sentence or two, for those who do not see it. */
  readonly description: string
  /** What is drawn, as a table. */
  readonly data: Sheet
  /** The same report and width give the same elements. */
  draw(canvas: Canvas): SVGSVGElement
}

/** Letters that may stand in the name of a file everywhere; other ones become dashes, so that no name leads out of its folder.
 *  @param text may come off the wire */
export function fileStem(text: string): string {
  const plain = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[-.]+|[-.]+$/g, '')
  return plain.slice(0, STEM_MAX) || 'unnamed'
}

/** libvirt allows names of 255 bytes; file systems do too, for the whole of a name. */
const STEM_MAX = 80
