/** An input that cannot be used, in the user's words: the message follows the input's name and says what to do. */
export class InputError extends Error {
  override readonly name = 'InputError'
}
