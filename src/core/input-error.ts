/** An input that cannot be used, in the user's words: the message follows the input's name and says what to do. */
export class InputError extends Error {
  override readonly name = 'InputError'
  /** Which of several inputs it is; null when there is but one. */
  readonly input: string | null

  constructor(message: string, input: string | null = null) {
    super(message)
    this.input = input
  }
}
