import { MIGRATIONS_MAX } from '../core/limits.ts'
import type { Connection } from '../events/connection.ts'
import { actionOf, type LibvirtCall, type LibvirtReply } from '../events/libvirt.ts'
import type { Migration } from './migration.ts'
import { isOrderOver, type Now } from './over.ts'
import { SourceOrder } from './source-order.ts'

/** What clients told source daemons to do, until it is known which migrations came of it: each order belongs to the first
 *  that it fits. */
export class SourceOrders {
  #orders: SourceOrder[] = []
  /** Those that wait for the answer. */
  readonly #open = new Map<Connection, SourceOrder>()

  /** A client orders the source to migrate, or the source has done so. */
  heard(event: LibvirtCall | LibvirtReply): void {
    if (event.type === 'libvirt.reply') {
      const order = this.#open.get(event.connection)
      if (order?.answers(event) !== true) return
      order.replied(event)
      this.#open.delete(event.connection)
    } else if (actionOf(event.procedure) === 'perform' && this.#orders.length < MIGRATIONS_MAX) {
      const order = new SourceOrder(event)
      this.#orders.push(order)
      this.#open.set(event.connection, order)
    }
  }

  /** No more is heard over a connection. */
  closed(connection: Connection): void {
    this.#open.delete(connection)
  }

  /** Some migrations have ended: they get their orders. */
  fulfil(ended: ReadonlySet<Migration>, migrations: readonly Migration[]): void {
    if (ended.size === 0) return
    const taken = new Set<Migration>()
    this.#orders = this.#orders.filter((order) => {
      const free = (migration: Migration): boolean => migration.order === null && !taken.has(migration)
      const fitting = migrations.find((migration) => free(migration) && order.fits(migration))
      if (fitting === undefined) return true
      taken.add(fitting)
      if (ended.has(fitting)) fitting.follow(order)
      return !ended.has(fitting)
    })
  }

  /** The capture goes on: orders that are over, and fit no migration. They are forgotten. */
  takeOver(now: Now, migrations: readonly Migration[]): SourceOrder[] {
    const over = this.#orders.filter(
      (order) => isOrderOver(order, now) && !migrations.some((migration) => order.fits(migration)),
    )
    if (over.length > 0) this.#orders = this.#orders.filter((order) => !over.includes(order))
    return over
  }

  /** The capture is over: all orders that were not fulfilled. */
  takeAll(): readonly SourceOrder[] {
    return this.#orders
  }
}
