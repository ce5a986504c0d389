import { u16be } from '../../core/bytes.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import type { EventSink } from '../../events/event.ts'

/** @see RFC 903; RFC 826 for the layout */
const FIELD = { hardware: 0, hardwareSize: 4, protocolSize: 5, operation: 6, senderHardware: 8 } as const
const ETHERNET = 1
const REVERSE_REQUEST = 3
/** Up to the end of the target's hardware address, for 6 and 4 byte addresses. */
const SIZE = 24

/** A RARP packet at `bytes[offset … end)`: raises `rarp.announce` when it is one of those that QEMU sends for a guest's
 *  NIC, in which sender and target are the same. @see QEMU net/announce.c */
export function decodeRarp(
  bytes: Uint8Array,
  offset: number,
  end: number,
  at: Evidence,
  sink: EventSink,
): void {
  if (end - offset < SIZE) return
  if (u16be(bytes, offset + FIELD.hardware) !== ETHERNET) return
  if (bytes[offset + FIELD.hardwareSize] !== 6 || bytes[offset + FIELD.protocolSize] !== 4) return
  if (u16be(bytes, offset + FIELD.operation) !== REVERSE_REQUEST) return
  const sender = macText(bytes, offset + FIELD.senderHardware)
  if (sender !== macText(bytes, offset + FIELD.senderHardware + 10)) return
  const evidence = keep(at)
  sink({ type: 'rarp.announce', mac: sender, first: evidence, last: evidence })
}

function macText(bytes: Uint8Array, offset: number): string {
  const parts: string[] = []
  for (let i = 0; i < 6; i++) parts.push((bytes[offset + i] as number).toString(16).padStart(2, '0'))
  return parts.join(':')
}
