/** Zero, kept as a fraction would be. A field that begins as an integer changes its kind when a time or a sum of bytes passes
 *  2^31, and all compiled code that knows the field is thrown away: some 25 functions, one after another, in the middle of
 *  every large capture. A field that begins with this one never changes. */
export const FLOAT_ZERO: number = new Float64Array(1)[0] as number
