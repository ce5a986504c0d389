import {
  clock,
  copies,
  damaged,
  dropped,
  longFrames,
  missingBytes,
  noMigration,
  oneWay,
  snapLength,
  stamps,
  timeOrder,
  undecoded,
} from './doctor-capture.ts'
import {
  endsEarly,
  noEcho,
  noHandshake,
  noLibvirt,
  noMemory,
  openstackGaps,
  tls,
  tunnelled,
  vantage,
} from './doctor-migration.ts'
import type { Examination, ExaminationFacts, Examined, Finding, Rule } from './doctor-model.ts'

export type { Examination, Examined, Finding } from './doctor-model.ts'

/** A capture that cannot be read at all is found by whoever opens it. */
export const UNREADABLE = 'unreadable'

/** All that is looked for, in the order in which it is printed; of these, problems come before notes.
 *  @see docs/doctor.md, which a test holds against this */
export const RULES: readonly (readonly [id: string, rule: Rule])[] = [
  ['damaged', damaged],
  ['no-migration', noMigration],
  ['snap-length', snapLength],
  ['undecoded', undecoded],
  ['dropped', dropped],
  ['missing-bytes', missingBytes],
  ['one-way', oneWay],
  ['no-handshake', noHandshake],
  ['ends-early', endsEarly],
  ['no-libvirt', noLibvirt],
  ['no-memory', noMemory],
  ['clock', clock],
  ['time-order', timeOrder],
  ['stamps', stamps],
  ['long-frames', longFrames],
  ['copies', copies],
  ['tls', tls],
  ['tunnelled', tunnelled],
  ['openstack-gaps', openstackGaps],
  ['no-echo', noEcho],
  ['vantage', vantage],
]

/** What is in a capture, and what is wrong with it for the purpose of measuring a live migration. */
export function examine(examined: Examined): Examination {
  const findings = findingsOf(examined)
  return {
    file: examined.capture.file,
    fit: isFit(findings),
    findings,
    facts: factsOf(examined),
  }
}

/** What the rules find, problems first.
 *  @param asked whether a rule is to be asked at all */
export function findingsOf(examined: Examined, asked: (id: string) => boolean = () => true): Finding[] {
  const findings = RULES.filter(([id]) => asked(id)).flatMap(([id, rule]): Finding[] => {
    const finding = rule(examined)
    return finding === null ? [] : [{ id, ...finding }]
  })
  const isProblem = ({ severity }: Finding): boolean => severity === 'problem'
  return [...findings.filter(isProblem), ...findings.filter((finding) => !isProblem(finding))]
}

export const isFit = (findings: readonly Finding[]): boolean =>
  findings.every(({ severity }) => severity !== 'problem')

/** For a file that is no capture, or cannot be opened.
 *  @param reason continues a sentence that begins with the file: that of an InputError */
export function unreadable(file: string, reason: string): Examination {
  const finding: Finding = {
    id: UNREADABLE,
    severity: 'problem',
    sentence: /[.?!]$/.test(reason) ? `It ${reason}` : `It ${reason}.`,
    remedy: 'Check the name, that the file may be read, and that it was copied whole and as binary.',
  }
  return { file, fit: false, findings: [finding], facts: null }
}

function factsOf({ capture, migrations, traffic, frames }: Examined): ExaminationFacts {
  return {
    format: capture.format,
    link_types: capture.link_types,
    packets: capture.packets,
    duration_s: capture.duration_s,
    wire_bytes: capture.wire_bytes,
    captured_bytes: capture.captured_bytes,
    cut_packets: frames.cutPackets,
    dropped_packets: capture.dropped_packets,
    stamp_resolution_ns: frames.stampNs,
    tcp_connections: traffic.connections,
    echo_requests: traffic.echoRequests,
    migrations: migrations.length,
  }
}
