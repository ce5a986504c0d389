/** Where a fact was seen. `packet` is 1-based and equals Wireshark's frame.number; `timeNs` is
 *  nanoseconds after the first packet of the capture, negative where stamps run backwards. */
export interface Evidence {
  readonly packet: number
  readonly timeNs: number
}

/** A copy that outlives the call: the packet path reuses one object for the packet at hand. */
export function keep(at: Evidence): Evidence {
  return { packet: at.packet, timeNs: at.timeNs }
}
