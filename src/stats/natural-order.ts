/** Orders levels of a factor as people do: unknown last, plain numbers first and by value (`0.25` before `0.5` before `10`),
 *  other text piece by piece, digits by value (`vm2` before `vm10`). The same everywhere: no locale.
 *  @returns negative, 0 or positive, as sort wants it; 0 for equal text only */
export function naturalOrder(left: string | null, right: string | null): number {
  if (left === null || right === null) return Number(left === null) - Number(right === null)
  const numeric = Number(PLAIN_NUMBER.test(right)) - Number(PLAIN_NUMBER.test(left))
  if (numeric !== 0) return numeric
  const byValue = PLAIN_NUMBER.test(left) ? Number(left) - Number(right) : byPieces(left, right)
  return byValue || byCodeUnits(left, right)
}

const PLAIN_NUMBER = /^-?\d{1,15}(\.\d{1,15})?$/

function byPieces(left: string, right: string): number {
  // Pieces of text and of digits take turns, text first.
  const pieces = left.split(/(\d+)/)
  const others = right.split(/(\d+)/)
  for (const [index, piece] of pieces.entries()) {
    const other = others[index]
    if (other === undefined) return 1
    const order = index % 2 === 0 ? byCodeUnits(piece, other) : byDigits(piece, other)
    if (order !== 0) return order
  }
  return pieces.length - others.length
}

/** By value, of any length: more digits are more, leading zeros aside. */
function byDigits(left: string, right: string): number {
  const [one, other] = [left.replace(/^0+/, ''), right.replace(/^0+/, '')]
  return one.length - other.length || byCodeUnits(one, other)
}

function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
