/** What stands where a secret stood. */
export const REDACTED = '***'

type Rule = readonly [RegExp, string]

/** Keystone's tokens that can be told by their looks: Fernet, PKI and PKIZ. */
const TOKENS: readonly Rule[] = [
  [/gAAAA[\w-]{16,}=*/g, REDACTED],
  [/(?:PKIZ_|MII)[\w+/=-]{32,}/g, REDACTED],
]

/** UUID tokens are 32 hex digits without hyphens (so are project ids, which nobody misses in a message); unknown kinds
 *  stand behind the word. Passwords are in URLs and assignments. */
const SECRETS: readonly Rule[] = [
  ...TOKENS,
  [/\b(token\W{1,4})[\w+/=-]{24,}/gi, `$1${REDACTED}`],
  [/(?<![\w-])[0-9a-f]{32}(?![\w-])/gi, REDACTED],
  [/(:\/\/[^\s/:@]{1,128}:)[^\s/@]{1,256}@/g, `$1${REDACTED}@`],
  [/((?:password|passwd|secret|adminpass)["']?\s{0,4}[=:]\s{0,4}["']?)[^\s"',;&}]{1,256}/gi, `$1${REDACTED}`],
]

/** The text without what looks like a token. */
export function withoutTokens(text: string): string {
  return applied(TOKENS, text)
}

/** A service's message without what looks like a token or a password: services quote what they were given.
 *  @param max characters of the text that are looked at and given back */
export function withoutSecrets(text: string, max: number): string {
  const clean = applied(SECRETS, text.slice(0, max))
  if (text.length <= max) return clean
  // A secret that is cut by the limit may be too short to look like one.
  const space = clean.lastIndexOf(' ')
  return space < 0 ? clean : clean.slice(0, space)
}

function applied(rules: readonly Rule[], text: string): string {
  return rules.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text)
}
