import type { Evidence } from '../core/evidence.ts'
import type { PageCounts, QemuCommand, QemuEvent, QemuReturn, QemuSection } from '../events/qemu.ts'

/** Commands of the switch. @see protocols.md D.4, D.6 */
const COMMAND = { run: 5, ramDiscard: 6, packaged: 7, resume: 9 } as const
/** Messages of the return path that ask for a page: with the block's name, and without it. */
const REQUESTS: ReadonlySet<number> = new Set([3, 4])

/** Post-copy: the switch of the guest to the destination, and the pages that follow it there. */
export class PostCopy {
  /** First byte of the first command of the switch: what was dirtied last is discarded. The guest has been stopped by then. */
  switch: Evidence | null = null
  /** Last byte of the command by which the destination may run the guest. */
  run: Evidence | null = null
  /** Last byte of the command by which an interrupted post-copy goes on, in a stream of its own. */
  resumed: Evidence | null = null
  /** Last byte of the last section with pages. */
  lastPages: Evidence | null = null
  /** Of those sections. */
  bytes = 0
  pages: PageCounts = { normal: 0, zero: 0, xbzrle: 0, compressed: 0 }
  /** Pages that the guest waited for. */
  requests = 0
  firstRequest: Evidence | null = null
  lastRequest: Evidence | null = null

  event(event: QemuEvent): void {
    if (event.type === 'qemu.command') this.#command(event)
    else if (event.type === 'qemu.return') this.#returned(event)
    else if (event.type === 'qemu.section') this.#section(event)
  }

  #command({ command, first, last }: QemuCommand): void {
    if (command === COMMAND.ramDiscard || command === COMMAND.packaged) this.switch ??= first
    else if (command === COMMAND.run) {
      this.switch ??= first
      this.run ??= last
    } else if (command === COMMAND.resume) this.resumed ??= last
  }

  #returned({ message, first, last }: QemuReturn): void {
    if (!REQUESTS.has(message)) return
    this.requests++
    this.firstRequest ??= first
    this.lastRequest = last
  }

  #section({ kind, size, pages, last }: QemuSection): void {
    const going = this.run !== null || this.resumed !== null
    if (!going || pages === null || kind === 'start') return
    this.lastPages = last
    this.bytes += size
    this.pages = {
      normal: this.pages.normal + pages.normal,
      zero: this.pages.zero + pages.zero,
      xbzrle: this.pages.xbzrle + pages.xbzrle,
      compressed: this.pages.compressed + pages.compressed,
    }
  }
}
