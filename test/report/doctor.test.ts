import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { junoDestination } from '../../fixtures/build/stories/juno-destination.ts'
import { Analyzer } from '../../src/pipeline/analyzer.ts'
import { type Examination, examine, RULES, UNREADABLE, unreadable } from '../../src/report/doctor.ts'
import { renderExamination } from '../../src/report/doctor-text.ts'
import { dial, guest, migrate, ROUTE } from '../pipeline/synthetic.ts'
import {
  type CapturedPacket,
  capture,
  damage,
  dpmi,
  ETHERTYPE,
  ipv4,
  LINK,
  measurementFrame,
  type Passed,
  Pcapng,
  pcap,
  Wire,
} from '../support/capture.ts'

function doctor(bytes: Uint8Array): Examination {
  const analyzer = new Analyzer({ name: 'trace.pcap' })
  analyzer.push(bytes)
  const { captures, migrations, traffic, frames } = analyzer.end()
  return examine({ capture: captures[0]!, migrations, traffic, frames: frames[0]! })
}

const ofFixture = (name: string): Examination => doctor(gunzipSync(readFileSync(`fixtures/${name}.gz`)))
const of = (passed: readonly Passed[]): Examination => doctor(pcap(capture(passed)))

const HELLO = Uint8Array.of(22, 3, 1, 0, 42, 1, 0, 0, 38, 3, 3, ...new Uint8Array(36))

const idsOf = ({ findings }: Examination): string[] => findings.map(({ id }) => id)
const finding = (examination: Examination, id: string) => examination.findings.find((each) => each.id === id)

const WHOLE = migrate(new Wire()).passed
const PACKETS = capture(WHOLE)
const indexOf = (note: string): number => WHOLE.findIndex((packet) => packet.note === note)
const portsOf = ({ segment }: Passed): (number | undefined)[] => [segment?.from.port, segment?.to.port]

function file(packets: readonly CapturedPacket[], resolution?: number): Pcapng {
  const pcapng = new Pcapng().interface({ resolution: resolution ?? 9 })
  for (const packet of packets) pcapng.enhanced(packet)
  return pcapng
}

describe('a capture that holds all of a migration', () => {
  it('is fit, and only nobody pinged the guest', () => {
    const examination = of(WHOLE)
    expect([examination.fit, idsOf(examination)]).toEqual([true, ['no-echo']])
    expect(examination.facts).toMatchObject({ packets: WHOLE.length, migrations: 1, stamp_resolution_ns: 1 })
  })

  it.each([
    ['libvirt-9.0/idle.pcap', ['vantage']],
    ['libvirt-9.0/abort.pcap', []],
    ['libvirt-9.0/multifd.pcap', ['vantage']],
    ['libvirt-9.0/postcopy.pcap', ['vantage']],
    ['libvirt-9.0/block-two-disks.pcap', ['long-frames', 'vantage']],
    ['libvirt-9.0/fail-connect.pcap', []],
    ['libvirt-9.0/fail-conflict.pcap', []],
    ['libvirt-9.0/offline.pcap', ['long-frames']],
    ['openstack-zed/idle.pcap', ['vantage']],
    ['openstack-zed/fail-precheck.pcap', []],
    ['openstack-zed/fail-pre-live-migration.pcap', []],
  ])('%s is fit', (name, notes) => {
    const examination = ofFixture(name)
    expect([examination.fit, idsOf(examination)]).toEqual([true, notes])
  })
})

describe('damaged', () => {
  it('is a problem where packets are missing because of it', () => {
    const bytes = pcap(
      PACKETS.map((packet, i) => (i === 20 ? { ...packet, claimedLength: 500_000 } : packet)),
    )
    expect(finding(doctor(bytes), 'damaged')).toMatchObject({
      severity: 'problem',
      sentence: expect.stringContaining('after packet 20 a record claims 500000'),
    })
  })

  it('is a note where only the last packet was not written in full', () => {
    const examination = doctor(pcap(PACKETS).subarray(0, -3))
    expect(finding(examination, 'damaged')).toMatchObject({
      severity: 'note',
      sentence: expect.stringContaining(`after packet ${WHOLE.length - 1}`),
    })
    expect(examination.fit).toBe(true)
  })
})

describe('no-migration', () => {
  const wire = new Wire()
  wire.connection({ name: 'web', client: '10.0.0.1:5000', server: '10.0.0.2:443' }).open().close('client')

  it('says what was there instead', () => {
    const examination = of(wire.passed)
    expect(idsOf(examination)).toEqual(['no-migration'])
    expect(finding(examination, 'no-migration')?.sentence).toContain('1 TCP connection to port 443')
  })

  it('tells what echo requests alone are good for', () => {
    const echo = (kind: number) =>
      ipv4(
        { source: '10.0.0.1', destination: '10.0.0.2', protocol: 1 },
        Uint8Array.of(kind, 0, 0, 0, 0, 7, 0, 1),
      )
    const wire = new Wire().packet(ETHERTYPE.ipv4, echo(8), 'ping').packet(ETHERTYPE.ipv4, echo(0), 'pong')
    const examination = of(wire.passed)
    expect(examination.facts?.echo_requests).toBe(1)
    expect(finding(examination, 'no-migration')?.remedy).toMatch(
      /^Together with a capture between the two hosts, its 1 echo request can tell/,
    )
  })

  it('counts one packet as one', () => {
    const examination = doctor(pcap(capture(wire.passed.slice(0, 1), { snapLength: 40 })))
    expect(finding(examination, 'no-migration')?.sentence).toContain('It holds 1 packet in 0.0 s')
    expect(finding(examination, 'snap-length')?.sentence).toMatch(/^1 of 1 packet was cut to 40 bytes/)
  })
})

describe('snap-length', () => {
  it('names what could not be read, with the share of bytes that were kept', () => {
    const examination = doctor(pcap(capture(WHOLE, { snapLength: 128 })))
    const { severity, sentence } = finding(examination, 'snap-length')!
    expect(severity).toBe('problem')
    expect(sentence).toMatch(
      /^\d+ of \d+ packets were cut to 128 bytes or less: [\d.]+ % of the bytes were kept\./,
    )
    expect(sentence).toContain("libvirt's calls")
    expect(sentence).toContain('the memory stream')
  })

  it('gives the most that was kept of a packet that was cut', () => {
    const cut = capture(WHOLE, { snapLength: 128 })
    const last = PACKETS.at(-1)!
    cut.push({ ...last, frame: last.frame.subarray(0, 40), originalLength: last.frame.length })
    expect(finding(doctor(pcap(cut)), 'snap-length')?.sentence).toContain('cut to 128 bytes or less')
  })

  it('does not name what was told all the same: the guest', () => {
    const { sentence } = finding(ofFixture('libvirt-9.0/snaplen128.pcap'), 'snap-length')!
    expect(sentence).toContain("libvirt's calls (MAC addresses, flags, statistics)")
  })

  it('names the disks where their copy could not be read', () => {
    const { sentence } = finding(ofFixture('libvirt-9.0/block-migration.pcap'), 'snap-length')!
    expect(sentence).toContain('the storage copy (what was written)')
  })

  it('does not take a tunnelled stream for calls', () => {
    const { sentence } = finding(ofFixture('libvirt-9.0/tunnelled.pcap'), 'snap-length')!
    expect(sentence).not.toContain("libvirt's calls")
  })

  it('is a note where nothing of the migration was cut', () => {
    const wire = migrate(new Wire(), { ...ROUTE, mss: 400 })
    dial(wire, 'other', ROUTE, 9999, 40_000).open().send('client', new Uint8Array(1400), 'x').close('client')
    const examination = doctor(pcap(capture(wire.passed, { snapLength: 600 })))
    expect(examination.fit).toBe(true)
    expect(finding(examination, 'snap-length')).toMatchObject({
      severity: 'note',
      sentence: expect.stringContaining('Nothing that is measured was cut off'),
    })
  })

  it.each(['snaplen128.pcap', 'tunnelled.pcap', 'offload-on.pcap', 'pcapng.pcapng'])(
    'is found in %s',
    (name) => {
      const examination = ofFixture(`libvirt-9.0/${name}`)
      expect(finding(examination, 'snap-length')?.sentence).toContain('the memory stream (pages')
      expect(examination.fit).toBe(false)
    },
  )

  it('counts what was cut before frames came in measurement frames', () => {
    const frames = capture(WHOLE, { snapLength: 100 }).map((inner, sequence) => ({
      timeNs: inner.timeNs,
      frame: measurementFrame({ sequence, packets: [inner] }),
    }))
    expect(finding(doctor(pcap(frames)), 'snap-length')?.sentence).toMatch(
      /^[\d.]+ kB of TCP payload were cut off before the frames were recorded/,
    )
  })

  it('advises on a measurement point what can be set there', () => {
    const examination = doctor(dpmi(capture(WHOLE, { snapLength: 128 })))
    expect(finding(examination, 'snap-length')?.remedy).toContain('caplen')
  })
})

describe('undecoded', () => {
  it('is a problem where it is many packets', () => {
    const examination = doctor(pcap(PACKETS, { linkType: 147 }))
    expect(finding(examination, 'undecoded')).toMatchObject({
      severity: 'problem',
      sentence: expect.stringContaining(`${WHOLE.length} of ${WHOLE.length} packets (100.0 %)`),
    })
  })

  it('is a note where it is a few', () => {
    const wire = migrate(new Wire(), { ...ROUTE, mss: 200 })
    const broken = ipv4({ source: '10.0.0.1', destination: '10.0.0.2' }, new Uint8Array(4))
    wire.packet(ETHERTYPE.ipv4, broken, 'a header without its end')
    expect(finding(of(wire.passed), 'undecoded')?.severity).toBe('note')
  })
})

describe('dropped', () => {
  it('counts what statistics and packets of pcapng tell', () => {
    const examination = doctor(file(PACKETS).statistics(0, { byInterface: 3n, bySystem: 4n }).bytes())
    expect(examination.fit).toBe(false)
    expect(finding(examination, 'dropped')?.sentence).toContain('dropped 7 packets')
    const marked = file(PACKETS.slice(0, -1)).enhanced(PACKETS.at(-1)!, 0, { drops: 1 })
    expect(finding(doctor(marked.bytes()), 'dropped')?.sentence).toContain('dropped 1 packet (')
  })

  it('is silent where the file says that there were none', () => {
    const examination = doctor(file(PACKETS).statistics(0, { byInterface: 0n }).bytes())
    expect([examination.fit, examination.facts?.dropped_packets]).toEqual([true, 0])
  })

  it('counts measurement frames that did not arrive', () => {
    const frames = PACKETS.map((inner, i) => ({
      timeNs: inner.timeNs,
      frame: measurementFrame({ sequence: i < 10 ? i : i + 2, packets: [inner] }),
    }))
    expect(finding(doctor(pcap(frames)), 'dropped')?.sentence).toContain(
      '2 measurement frames did not arrive',
    )
  })
})

describe('missing-bytes', () => {
  const lossy = damage(WHOLE, 'lose', indexOf('stream') + 3)

  it('are told by connection, although nothing says drops', () => {
    const { severity, sentence, remedy } = finding(of(lossy), 'missing-bytes')!
    expect(severity).toBe('problem')
    expect(sentence).toContain('1.4 kB of the memory stream')
    expect(sentence).toContain('nothing in the file says')
    expect(remedy).toContain('dropped by kernel')
  })

  it('are explained by drops, where the file tells of some', () => {
    const told = file(capture(lossy)).statistics(0, { bySystem: 1n })
    expect(finding(doctor(told.bytes()), 'missing-bytes')?.sentence).toContain(
      'which the dropped packets explain',
    )
    const denied = file(capture(lossy)).statistics(0, { bySystem: 0n })
    expect(finding(doctor(denied.bytes()), 'missing-bytes')?.sentence).toContain('says that no packet was')
  })

  it('of other connections are a note', () => {
    const wire = migrate(new Wire())
    const other = dial(wire, 'other', ROUTE, 9999, 40_000).open()
    other.send('client', new Uint8Array(5000), 'x').close('client')
    const passed = damage(wire.passed, 'lose', wire.passed.findIndex(({ note }) => note === 'x') + 1)
    expect(finding(of(passed), 'missing-bytes')?.severity).toBe('note')
  })

  it('are not those that were cut', () => {
    expect(idsOf(doctor(pcap(capture(WHOLE, { snapLength: 128 }))))).not.toContain('missing-bytes')
  })
})

describe('one-way', () => {
  const isFrom = (address: string) => (packet: Passed) => packet.segment?.from.address === address

  it.each([ROUTE.hosts.source, ROUTE.hosts.destination])('when only what %s sent was captured', (host) => {
    const examination = of(WHOLE.filter(isFrom(host)))
    expect(examination.fit).toBe(false)
    expect(finding(examination, 'one-way')?.sentence).toContain('only one direction')
    expect(idsOf(examination)).not.toContain('ends-early')
  })

  it('when it is only the libvirt connection', () => {
    const answers = WHOLE.filter(({ segment }) => segment?.from.port !== ROUTE.rpcPort)
    expect(finding(of(answers), 'one-way')?.sentence).toMatch(
      /^Of 1 of 2 TCP connections .* libvirt among them/,
    )
  })

  it('but not when nothing was answered, or nothing said', () => {
    const wire = new Wire()
    dial(wire, 'other', ROUTE, 9999, 40_000).open()
    expect(idsOf(of(wire.passed.slice(0, 1)))).toEqual(['no-migration'])
  })

  it('but not when it is a connection of something else', () => {
    const wire = migrate(new Wire())
    dial(wire, 'other', ROUTE, 9999, 40_000).open().send('client', new Uint8Array(10), 'x')
    const passed = wire.passed.filter(({ segment }) => segment?.from.port !== 9999)
    expect(idsOf(of(passed))).toEqual(['no-echo'])
  })
})

describe('no-handshake', () => {
  it.each([
    ['the libvirt connection', ROUTE.rpcPort],
    ['the memory connection', ROUTE.memoryPort],
  ])('of %s', (_name, port) => {
    const passed = WHOLE.filter((packet) => !(/ syn/.test(packet.note) && portsOf(packet).includes(port)))
    const examination = of(passed)
    expect(finding(examination, 'no-handshake')?.sentence).toContain('1 of 2 with data have no TCP handshake')
    expect(examination.fit).toBe(false)
  })

  it('of any connection, where there is no migration', () => {
    const wire = new Wire()
    dial(wire, 'other', ROUTE, 9999, 40_000).open().send('client', new Uint8Array(10), 'x')
    expect(idsOf(of(wire.passed.slice(3)))).toContain('no-handshake')
    expect(idsOf(of(wire.passed))).not.toContain('no-handshake')
  })
})

describe('ends-early', () => {
  it('names the phases that have no end', () => {
    const examination = of(WHOLE.slice(0, indexOf('stream') + 5))
    expect(finding(examination, 'ends-early')?.sentence).toBe(
      'The capture ends before the migration of vm1 does. Without an end: transfer, finish, cleanup.',
    )
    expect(examination.fit).toBe(false)
  })

  it('does not name those whose end is missing because the capture starts late', () => {
    const late = of(WHOLE.slice(indexOf('prepare call'), indexOf('stream') + 5))
    expect(finding(late, 'ends-early')?.sentence).toContain('Without an end: transfer, finish, cleanup.')
  })

  it('also when only the cleanup is missing', () => {
    const examination = of(WHOLE.slice(0, indexOf('rpc fin')))
    expect(finding(examination, 'ends-early')?.sentence).toContain('Without an end: cleanup.')
  })
})

describe('what the capture point does not see', () => {
  const without = (port: number) => WHOLE.filter((packet) => !portsOf(packet).includes(port))

  it('no-libvirt', () => {
    const examination = of(without(ROUTE.rpcPort))
    expect(examination.fit).toBe(false)
    expect(finding(examination, 'no-libvirt')?.sentence).toContain('an unnamed guest (number 1)')
    expect(idsOf(examination)).not.toContain('no-memory')
  })

  it('no-memory', () => {
    const examination = of(without(ROUTE.memoryPort))
    expect(idsOf(examination)).toEqual(['no-memory', 'no-echo'])
    expect(idsOf(ofFixture('libvirt-9.0/rpc-only.pcap'))).toContain('no-memory')
  })

  it('neither, at the controller and at a client that orders the migration', () => {
    for (const name of ['openstack-zed/idle.controller.pcap', 'libvirt-9.0/p2p.client.pcap'])
      expect(idsOf(ofFixture(name)).slice(0, 2)).toEqual(['no-libvirt', 'no-memory'])
  })

  it('and is told to add the link between the hosts', () => {
    for (const name of ['openstack-zed/idle.controller.pcap', 'libvirt-9.0/p2p.client.pcap'])
      expect(finding(ofFixture(name), 'no-libvirt')?.remedy).toMatch(
        /^What is here is what a controller sees, or a client .* Give both to mig-phases --merge\.$/,
      )
    expect(finding(ofFixture('libvirt-9.0/managed.pcap'), 'no-libvirt')?.remedy).toContain('When a client')
  })

  it('openstack-gaps: phases that only another link shows', () => {
    const examination = ofFixture('built/juno-destination.pcap')
    expect(finding(examination, 'openstack-gaps')?.sentence).toContain('authentication (')
    expect(examination.fit).toBe(true)
  })

  it('openstack-gaps: what is encrypted may hold what is missing', () => {
    const passed = junoDestination().passed
    const web = new Wire()
    dial(web, 'web', ROUTE, 5000, 40_000).open().send('client', HELLO, 'hello').close('client')
    expect(finding(of(passed), 'openstack-gaps')?.sentence).not.toContain('TLS')
    expect(finding(of([...passed, ...web.passed]), 'openstack-gaps')?.sentence).toMatch(
      /\. 1 TCP connection is encrypted \(TLS\): what is missing may be in there/,
    )
  })

  it('vantage: a link from which the losses of a ping do not show', () => {
    const { severity, sentence } = finding(ofFixture('libvirt-9.0/idle.pcap'), 'vantage')!
    expect(severity).toBe('note')
    expect(sentence).toContain(
      "10.77.0.50 was pinged during the migration of vm1, but the requests were seen at the source's link",
    )
  })

  it('vantage: a guest that answers nobody may be silent', () => {
    const echo = ipv4(
      { source: '10.77.0.100', destination: '10.77.0.50', protocol: 1 },
      Uint8Array.of(8, 0, 0, 0, 0, 7, 0, 1),
    )
    const frame = LINK.ethernet.frame(ETHERTYPE.ipv4, echo)
    frame.set([0x52, 0x54, 0, 0x77, 0, 0x50])
    const middle = indexOf('finish call')
    const request = { timeNs: PACKETS[middle]!.timeNs, frame }
    const examination = doctor(pcap([...PACKETS.slice(0, middle), request, ...PACKETS.slice(middle)]))
    expect(finding(examination, 'vantage')?.sentence).toContain(
      'its answers from before the switch-over and from after it are not both there',
    )
  })

  it('no-echo: pings that go elsewhere are counted', () => {
    expect(finding(ofFixture('libvirt-9.0/concurrent.pcap'), 'no-echo')?.sentence).toMatch(
      /of vm1, vm2 .* of \d+ echo requests/,
    )
    expect(finding(ofFixture('libvirt-9.0/concurrent.pcap'), 'no-echo')?.remedy).toContain('MAC address')
  })
})

describe('time', () => {
  const moved = (byNs: number): CapturedPacket[] =>
    PACKETS.map((packet, i) => (i < 30 ? packet : { ...packet, timeNs: packet.timeNs + BigInt(byNs) }))

  it('clock: a step is a problem', () => {
    for (const step of [-5e9, 48 * 3600e9]) {
      const examination = doctor(pcap(moved(step)))
      expect(examination.fit).toBe(false)
      expect(finding(examination, 'clock')?.sentence).toContain('(first at packet 31)')
    }
  })

  it('clock: packets without a stamp are one too', () => {
    const pcapng = new Pcapng().interface()
    for (const packet of PACKETS) pcapng.simple(packet)
    expect(finding(doctor(pcapng.bytes()), 'clock')?.sentence).toContain('without time stamps')
  })

  it('time-order: packets that are a little out of order are a note', () => {
    const examination = doctor(pcap(moved(-5e6)))
    expect(finding(examination, 'time-order')).toMatchObject({
      severity: 'note',
      sentence: expect.stringContaining(`at 1 of ${WHOLE.length} packets (`),
    })
  })

  it('time-order: at a measurement point there is no -i any to do without', () => {
    const remedy = (bytes: Uint8Array) => finding(doctor(bytes), 'time-order')?.remedy
    expect(remedy(pcap(moved(-5e6)))).toContain('-i any')
    expect(remedy(dpmi(moved(-5e6)))).toMatch(/^Nothing needs to be done.*share a clock\. Durations/)
  })

  it('stamps: microseconds are a note, coarser ones a problem', () => {
    expect(finding(doctor(pcap(PACKETS, { form: 'us' })), 'stamps')?.severity).toBe('note')
    expect(finding(doctor(file(PACKETS, 6).bytes()), 'stamps')?.severity).toBe('note')
    expect(finding(doctor(file(PACKETS, 3).bytes()), 'stamps')).toMatchObject({
      severity: 'problem',
      sentence: 'Time stamps go in steps of 1 ms.',
    })
    expect(idsOf(doctor(dpmi(PACKETS)))).not.toContain('stamps')
  })

  it('stamps: of several interfaces the coarsest counts', () => {
    const pcapng = new Pcapng().interface({ resolution: 3 }).interface({ resolution: 9 })
    for (const packet of PACKETS) pcapng.enhanced(packet, 1)
    expect(doctor(pcapng.bytes()).facts?.stamp_resolution_ns).toBe(1e6)
  })
})

describe('long-frames', () => {
  const withMss = (mss: number): Examination => of(migrate(new Wire(), { ...ROUTE, mss }).passed)

  it('are super-frames when they are longer than jumbo frames', () => {
    const { sentence, remedy } = finding(withMss(30_000), 'long-frames')!
    expect(sentence).toContain('up to 30,054 bytes, more than Ethernet carries')
    expect(remedy).toMatch(/^ethtool -K IFACE gro off tso off gso off lro off/)
  })

  it('may be jumbo frames when they are not', () => {
    const { sentence, remedy } = finding(withMss(8960), 'long-frames')!
    expect(sentence).toContain('jumbo frames, or super-frames')
    expect(remedy).toMatch(/^If the MTU/)
  })

  it('are not those with VLAN tags', () => {
    const wire = migrate(new Wire(), { ...ROUTE, mss: 1460 })
    const { linkType } = LINK.qinq
    expect(idsOf(doctor(pcap(capture(wire.passed, { link: LINK.qinq }), { linkType })))).toEqual(['no-echo'])
  })

  it('of an interface that joins packets are found', () => {
    expect(idsOf(ofFixture('libvirt-9.0/offload-on.pcap'))).toEqual(
      expect.arrayContaining(['stamps', 'long-frames']),
    )
  })
})

it('copies of packets are counted, and a note', () => {
  const examination = of(WHOLE.flatMap((packet) => [packet, packet]))
  expect(examination.fit).toBe(true)
  expect(finding(examination, 'copies')?.sentence).toContain(
    `${WHOLE.length} of ${2 * WHOLE.length} packets (50.0 %)`,
  )
})

describe('notes on the kind of migration', () => {
  it('tls: what is known all the same', () => {
    const examination = ofFixture('libvirt-9.0/tls-stream.pcap')
    expect(finding(examination, 'tls')).toMatchObject({
      severity: 'note',
      sentence: expect.stringContaining('the phases by the lengths of records'),
    })
    expect(idsOf(ofFixture('libvirt-9.0/tls.pcap'))).toEqual(['no-memory', 'tls', 'vantage'])
  })

  it('tls: connections among which no migration was found', () => {
    const wire = new Wire()
    dial(wire, 'web', ROUTE, 443, 40_000).open().send('client', HELLO, 'hello').close('client')
    expect(finding(of(wire.passed), 'tls')?.sentence).toMatch(/^1 TCP connection is encrypted/)
  })

  it('tunnelled', () => {
    const examination = ofFixture('libvirt-9.0/tunnelled.pcap')
    expect(finding(examination, 'tunnelled')?.severity).toBe('note')
    expect(idsOf(examination)).not.toContain('no-memory')
  })
})

it('a file that cannot be read is not fit', () => {
  expect(unreadable('x', 'is empty')).toMatchObject({
    fit: false,
    facts: null,
    findings: [{ id: UNREADABLE, severity: 'problem', sentence: 'It is empty.' }],
  })
  expect(unreadable('x', 'is empty: why?').findings[0]?.sentence).toBe('It is empty: why?')
})

describe('the text', () => {
  it('has problems before notes, each with its remedy', () => {
    const lines = renderExamination(doctor(pcap(PACKETS.slice(0, 50), { form: 'us' }))).split('\n')
    const severities = lines.flatMap((line) => /^ {2}(problem|note): /.exec(line)?.[1] ?? [])
    expect(severities).toEqual([...severities].sort().reverse())
    expect(lines.filter((line) => line.startsWith('    → '))).toHaveLength(severities.length)
    expect(lines.every((line, i) => i === 0 || line.length <= 102)).toBe(true)
  })

  it('escapes what comes from the wire', () => {
    const named = migrate(new Wire(), ROUTE, guest('vm\u001b[31m1')).passed
    const examination = of(named.filter((packet) => !portsOf(packet).includes(ROUTE.memoryPort)))
    expect(examination.findings[0]?.sentence).toContain('\u001b')
    const text = renderExamination({ ...examination, file: 'a\u001b[2Jb' })
    expect(text).not.toContain('\u001b')
    expect(text).toContain('vm\\x1b[31m1')
    expect(text).toContain('a\\x1b[2Jb')
  })
})

it('docs/doctor.md has a row for each finding, in this order', () => {
  const rows = readFileSync('docs/doctor.md', 'utf8').matchAll(/^\| `([a-z-]+)` \| (problem|note)/gm)
  expect([...rows].map(([, id]) => id)).toEqual([UNREADABLE, ...RULES.map(([id]) => id)])
})
