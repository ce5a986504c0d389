import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attribute, scanXml } from '../../../src/protocols/libvirt/xml.ts'

function events(text: string): string[] {
  const seen: string[] = []
  scanXml(text, {
    open: (path) => seen.push(`<${path}`),
    close: (path, value) => seen.push(`>${path}=${value}`),
  })
  return seen
}

describe('scanXml', () => {
  test('walks elements with their paths, and gives the text of leaves', () => {
    expect(events('<a>\n <b>x</b>\n <c d="1"/>\n</a>')).toEqual([
      '</a',
      '</a/b',
      '>/a/b=x',
      '</a/c',
      '>/a/c=',
      '>/a=',
    ])
  })

  test('predefined and numeric entities are resolved, others stay as they are', () => {
    expect(
      events('<a>&lt;&amp;&gt;&quot;&apos; &#65;&#x1F600; &lol; &#0; &#xD800; &#9999999; &</a>'),
    ).toEqual(['</a', `>/a=<&>"' A😀 &lol; &#0; &#xD800; &#9999999; &`])
  })

  test('an entity is not resolved twice, and a DOCTYPE defines none', () => {
    const bomb = '<!DOCTYPE a [<!ENTITY lol "ha>ha"> <!ENTITY b "&lol;&lol;">]><a>&b;&amp;lt;</a>'
    expect(events(bomb)).toEqual(['</a', '>/a=&b;&lt;'])
  })

  test('comments, processing instructions and CDATA', () => {
    const text = `<?xml version='1.0'?><!-- <x> --><a>1<!-- 2 -->3<![CDATA[<&lt;>]]></a>`
    expect(events(text)).toEqual(['</a', '>/a=13<&lt;>'])
  })

  test('a > inside quotes does not end a tag', () => {
    expect(events(`<a b="x>y" c='/'>v</a>`)).toEqual(['</a', '>/a=v'])
  })

  test('what lies deep is counted, not reported', () => {
    const deep = `${'<x>'.repeat(50)}${'</x>'.repeat(50)}`
    expect(events(`<a>${deep}<b>v</b></a>`).at(-2)).toBe('>/a/b=v')
  })

  test('more closing than opening tags do no harm', () => {
    expect(events('</a></b><c>x</c></c><d/>')).toEqual(['</c', '>/c=x', '</d', '>/d='])
  })

  test('cut anywhere, it gives a prefix of the whole', () => {
    const text = `<!-- c --><a k="v&gt;"><b>x&amp;y</b><![CDATA[z]]><?p?><c/></a>`
    const whole = events(text)
    for (let end = 0; end < text.length; end++) {
      const part = events(text.slice(0, end))
      expect(part).toEqual(whole.slice(0, part.length))
    }
  })

  test('never throws, and its paths come in pairs at most', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      ' ',
      '"',
      "'",
      '=',
      '&',
      ';',
      '!',
      '--',
      '[',
      ']',
      '?',
      '\0',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const seen = events(pieces.join(''))
        const opened = seen.filter((event) => event.startsWith('<')).length
        expect(seen.length - opened).toBeLessThanOrEqual(opened)
      }),
      { seed: 1, numRuns: 2000 },
    )
  })

  test.each([
    '<',
    '<a',
    '<a "',
    '&',
    '<!--',
    '<![CDATA[',
    '<a>',
    '<a b=">',
    '</',
    '<a/>',
    '&#x41;',
    "<a '' ",
  ])('two megabytes of %j take linear time', (piece) => {
    expect(() => events(piece.repeat(2_000_000 / piece.length))).not.toThrow()
  })
})

describe('attribute', () => {
  test('gives values in either quotes, with entities resolved', () => {
    const tag = `mac address='52:54' other = "a &amp; b" empty=''/`
    expect(attribute(tag, 'address')).toBe('52:54')
    expect(attribute(tag, 'other')).toBe('a & b')
    expect(attribute(tag, 'empty')).toBe('')
  })

  test('is null for what is not there, or not in form', () => {
    expect(attribute('mac', 'address')).toBeNull()
    expect(attribute('mac/', 'address')).toBeNull()
    expect(attribute('mac address=52', 'address')).toBeNull()
    expect(attribute('mac address="52', 'address')).toBeNull()
    expect(attribute(`mac xaddress='1'`, 'address')).toBeNull()
    expect(attribute(`mac x="address='1'"`, 'address')).toBeNull()
  })
})
