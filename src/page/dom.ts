/** What an element is made of. Text is always text: nothing that came off the wire becomes markup. */
type Child = Node | string | null

/** Makes an element. A handler is given as a function, under the name of its event. */
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | number | boolean | ((event: Event) => void)>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key, value)
    else if (value === true) made.setAttribute(key, '')
    else if (value !== false) made.setAttribute(key, `${value}`)
  }
  made.append(...children.filter((child) => child !== null))
  return made
}

/** Native, and not of a form. */
export function button(label: string, onClick: () => void, attributes: Record<string, string> = {}) {
  return el('button', { type: 'button', click: onClick, ...attributes }, label)
}

/** A heading with an anchor for the table of contents. */
export function section(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  return el(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    el('h2', { id: `${id}-title` }, title),
    ...children,
  )
}

/** Gives a file to the reader, out of the page itself. */
export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = el('a', { href: url, download: name })
  link.click()
  // The browser has taken it when the next task runs.
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

/** Puts text into the clipboard, and says on the button how that went. */
export async function copyText(text: string, from: HTMLButtonElement): Promise<void> {
  const label = from.textContent ?? ''
  const done = await writeClipboard(text)
  from.textContent = done ? 'Copied' : 'Not allowed here'
  setTimeout(() => {
    from.textContent = label
  }, 1500)
}

async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copySelection(text)
  }
}

/** The old way, for pages that may not use the clipboard as such. */
function copySelection(text: string): boolean {
  const area = el('textarea', { class: 'off-screen', 'aria-hidden': 'true' })
  area.value = text
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}
