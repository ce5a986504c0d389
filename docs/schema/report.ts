import Type, { type Static, type TSchema } from 'typebox'

/** The source of report-1.schema.json: `npm run golden` writes it, a test holds both and the types of
 *  src/report/model.ts against each other. */

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const object = <T extends Record<string, TSchema>>(properties: T, description?: string) =>
  Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  })
const list = <T extends TSchema>(schema: T) => Type.Array(schema)
const count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description === undefined ? {} : { description }) })
const text = (description?: string) => Type.String(description === undefined ? {} : { description })
const number = (description?: string) => Type.Number(description === undefined ? {} : { description })
const choice = <T extends string>(...values: T[]) => Type.Unsafe<T>(Type.Enum(values))

const phaseId = choice(
  'auth',
  'init',
  'remote_connect',
  'prepare',
  'transfer',
  'finish',
  'cleanup',
  'post_migration',
)

const diagnostic = object({
  code: text('Stable; scripts may match on it'),
  severity: choice('info', 'warning', 'error'),
  count: count('How often it happened'),
  packet: nullable(count('The first packet concerned')),
  message: text('One sentence about the first occurrence'),
})

const capture = object({
  file: text(),
  format: choice('pcap', 'pcapng', 'dpmi'),
  compression: nullable(text('How the file was compressed')),
  link_types: list(text('LINKTYPE name')),
  packets: count(),
  bytes: count('Size of the capture, decompressed'),
  wire_bytes: count("Sum of the frames' lengths on the wire"),
  captured_bytes: count('Sum of what was kept of the frames'),
  start_epoch_ns: nullable(text('Nanoseconds since 1970 of the first packet, exact')),
  earliest_epoch_ns: nullable(text('The same of the earliest stamp, which may be of a later packet')),
  latest_epoch_ns: nullable(text('The same of the latest stamp')),
  duration_s: number('Latest stamp less the earliest'),
  dropped_packets: nullable(count('As the capturing machine says')),
  clock_offset_s: nullable(number('Added to the stamps when captures were merged')),
  clock_offset_spread_s: nullable(number('How far that offset may be off')),
  diagnostics: list(diagnostic),
})

const boundary = object({
  packet: nullable(count('As Wireshark counts')),
  file: nullable(text('The capture that holds the packet, where several were merged')),
  time_s: nullable(number("Seconds after the capture's first packet")),
  kind: choice('observed', 'inferred', 'missing'),
  rule: nullable(text('The rule that set it, see docs/phases.md')),
})

const phase = object({
  id: phaseId,
  label: text(),
  duration_s: nullable(number()),
  start: boundary,
  markers: list(object({ id: text(), packet: count(), file: nullable(text()), time_s: number() })),
  end: boundary,
  reason: nullable(text('Why a boundary is missing')),
})

const end = object({ hostname: nullable(text()), address: nullable(text()) })

const mode = object({
  memory: nullable(choice('pre-copy', 'post-copy', 'stop-and-copy', 'none')),
  live: nullable(Type.Boolean()),
  peer2peer: nullable(Type.Boolean()),
  tunnelled: Type.Boolean(),
  post_copy: nullable(Type.Boolean({ description: 'Allowed by the call' })),
  paused: nullable(Type.Boolean()),
  bandwidth_limit_mib_s: nullable(count()),
  multifd_channels: count(),
  storage: nullable(choice('shared', 'nbd', 'stream', 'copied')),
  tls: Type.Boolean(),
  compression: nullable(text()),
  flags: nullable(list(text('virDomainMigrateFlags without its prefix'))),
})

const round = object({
  index: count('From 0'),
  start_s: number('First page'),
  end_s: number('Start of the next round; for the last, its last page'),
  normal_pages: count(),
  zero_pages: count(),
  xbzrle_pages: count(),
  compressed_pages: count(),
  repeated_pages: nullable(count('Pages that an earlier round had sent')),
  bytes: count('Of the memory stream'),
  throughput_bps: nullable(number()),
  dirty_rate_bps: nullable(
    number('What the guest wrote during the round, by the pages that the next repeats'),
  ),
})

const throughput = object(
  {
    start_s: number('Start of the first bin'),
    bin_s: number('Width of a bin: 0.1, in long transfers ten or a hundred times as much'),
    to_destination_bps: list(number()),
  },
  'TCP payload to the destination over time',
)

const pageCounts = { normal: count(), zero: count(), xbzrle: count(), compressed: count() }
const instantOfPacket = object({ packet: count(), file: nullable(text()), time_s: number() })

const postCopy = object({
  parts: list(
    object({
      id: choice('pre_copy', 'switch', 'recovery', 'post_copy'),
      start: nullable(instantOfPacket),
      end: nullable(instantOfPacket),
      duration_s: nullable(number()),
    }),
  ),
  pages_after_switch: nullable(object(pageCounts)),
  urgent_pages: nullable(count('Those of them that went over a connection of their own (postcopy-preempt)')),
  bytes_after_switch: nullable(count('Of the stream, with the heads of pages and sections')),
  page_requests: count('Pages that the guest at the destination waited for'),
  first_request_s: nullable(number()),
  last_request_s: nullable(number()),
})

const transfer = object({
  wire_bytes: nullable(count('Frames of both directions')),
  wire_bytes_to_destination: nullable(count()),
  payload_bytes: nullable(count('TCP payload of both directions, first transmissions')),
  retransmitted_bytes: nullable(count()),
  missing_bytes: nullable(count('Payload that passed but is not in the capture')),
  throughput_mean_bps: nullable(number()),
  throughput_peak_bps: nullable(number('Of the best bin of throughput')),
  throughput: nullable(throughput),
  connections: count(),
  storage_bytes: nullable(count()),
  pages: nullable(object({ ...pageCounts, page_size_bytes: count() })),
  post_copy: nullable(postCopy),
  rounds: nullable(list(round)),
  rounds_reason: nullable(text('Why there are no rounds')),
  convergence: object({
    verdict: nullable(choice('converged', 'marginal', 'not_converging')),
    sentence: text(),
    downtime_limit_s: number('The longest stop that was allowed, as given; 0.3 by default'),
    bandwidth_bps: nullable(number('Sent, over the rounds that were judged')),
    dirty_rate_bps: nullable(number('Written by the guest over the same rounds; a page counts once a round')),
    left_bytes: nullable(count('Left after a round, at the most, where that did not fit')),
    required_bandwidth_bps: nullable(number('Bandwidth at which left_bytes fit into the downtime limit')),
    required_downtime_limit_s: nullable(number('Downtime limit into which left_bytes fit at bandwidth_bps')),
  }),
})

const disk = object({
  export: nullable(text('As the client asked for it')),
  size_bytes: nullable(count()),
  writes: count(),
  written_bytes: count('Contents that passed'),
  zeroes_bytes: count('Written as zeroes: they do not pass'),
  first_write_s: nullable(number()),
  last_write_s: nullable(number()),
  errors: nullable(count('Replies that report one')),
  complete: Type.Boolean({ description: 'All requests were read' }),
})

const storage = object({
  start: boundary,
  end: boundary,
  duration_s: nullable(number()),
  connections: count(),
  payload_bytes: count('To the destination'),
  throughput: nullable(throughput),
  disks: list(disk),
})

const order = object(
  {
    client: text('Address'),
    start: boundary,
    end: boundary,
    duration_s: nullable(number()),
    flags: nullable(list(text('virDomainMigrateFlags without its prefix'))),
  },
  'What a management client told the source to do',
)

const instant = object({
  time_s: number(),
  lower_s: number('The instant lies between this'),
  upper_s: number('and this'),
  rule: text('What it was read from'),
  packet: count(),
  file: nullable(text()),
})

const icmp = object({
  target: text('The address that was pinged'),
  source: choice('capture', 'ping-log'),
  file: nullable(text('The log')),
  vantage: choice('client', 'source', 'destination', 'unknown'),
  sent: nullable(count('Requests from 10 s before the transfer to 10 s after the guest runs')),
  lost: nullable(count('Never answered, around the switch-over')),
  interval_s: nullable(number('Median spacing of the requests')),
  lost_times_interval_s: nullable(number()),
  gap_s: nullable(number('Last reply before … first reply after')),
  gap_start_s: nullable(number('When the last reply before the gap came')),
  gap_end_s: nullable(number('When the first reply after it came')),
  lower_s: nullable(number('First lost request … last lost request')),
  upper_s: nullable(number('Last answered request before … first answered request after')),
})

const hypervisor = object({
  downtime_ms: nullable(number()),
  setup_time_ms: nullable(number()),
  time_elapsed_ms: nullable(number()),
  clock_delta_ms: nullable(number()),
  memory_total_bytes: nullable(count()),
  memory_processed_bytes: nullable(count()),
  memory_normal_pages: nullable(count()),
  memory_constant_pages: nullable(count()),
  memory_iterations: nullable(count()),
  auto_converge_throttle: nullable(number()),
  comparison: list(
    object({
      what: choice(
        'downtime_s',
        'setup_s',
        'elapsed_s',
        'normal_pages',
        'zero_pages',
        'memory_bytes',
        'iterations',
        'throttle_percent',
      ),
      reported: nullable(number()),
      observed: nullable(number('What the packets show')),
      difference: nullable(number('reported less observed')),
    }),
  ),
})

const traffic = object({
  phase: nullable(
    choice(
      'auth',
      'init',
      'remote_connect',
      'prepare',
      'storage',
      'transfer',
      'finish',
      'cleanup',
      'post_migration',
    ),
  ),
  protocol: choice(
    'http',
    'amqp',
    'libvirt',
    'libvirt-tls',
    'libvirt-stream',
    'nbd',
    'qemu-migration',
    'multifd',
  ),
  direction: choice('to_server', 'to_client'),
  wire_bytes: count('Frames'),
  payload_bytes: count('TCP payload, first transmissions'),
})

const migration = object({
  capture: text(),
  index: count(),
  domain: object({
    name: nullable(text()),
    uuid: nullable(text()),
    memory_bytes: nullable(count()),
    macs: list(text()),
  }),
  source: end,
  destination: end,
  kind: choice('kvm', 'openstack'),
  factors: Type.Record(Type.String(), Type.String()),
  mode,
  outcome: choice('completed', 'failed', 'aborted', 'incomplete'),
  failure: nullable(
    object({
      phase: nullable(phaseId),
      code: nullable(Type.Integer()),
      message: text(),
      step: nullable(text("Nova's step that failed")),
      class: nullable(text('Class of the remote exception, or the HTTP status')),
    }),
  ),
  start_epoch_ns: nullable(text()),
  phases: list(phase),
  libvirt_migration_time_s: nullable(number()),
  libvirt_connection_time_s: nullable(number()),
  total_migration_time_s: nullable(number()),
  unattributed_s: nullable(number()),
  gaps: list(object({ after: phaseId, before: phaseId, duration_s: number(), what: nullable(text()) })),
  transfer,
  order: nullable(order),
  storage: nullable(storage),
  traffic: list(traffic),
  downtime: object({
    best_s: nullable(number()),
    lower_s: nullable(number()),
    upper_s: nullable(number()),
    method: nullable(choice('stream', 'icmp', 'hypervisor')),
    reason: nullable(text('Why the wire does not tell')),
    stream: object({ start: nullable(instant), end: nullable(instant), duration_s: nullable(number()) }),
    icmp: nullable(icmp),
    hypervisor_s: nullable(number('Clock delta removed')),
  }),
  hypervisor: nullable(hypervisor),
  openstack: nullable(
    object({
      request_id: nullable(text()),
      migration_status: nullable(text()),
      keystone_round_trip_s: nullable(number()),
      markers: list(object({ id: text(), packet: count(), file: nullable(text()), time_s: number() })),
    }),
  ),
  diagnostics: list(diagnostic),
  input: Type.Optional(
    nullable(
      object(
        {
          size_bytes: count(),
          modified_epoch_ns: text('Of the last modification'),
          migrations: count('In the capture: a line each'),
        },
        'In lines of results only: the capture as it was when it was analysed',
      ),
    ),
  ),
})

const metric = object({
  id: text(),
  label: text(),
  unit: text(),
  n: count('Completed migrations of which it is known'),
  mean: nullable(number()),
  sd: nullable(number('Sample standard deviation, n − 1')),
  ci95_half_width: nullable(number()),
  ci95_low: nullable(number()),
  ci95_high: nullable(number()),
  cov: nullable(number('SD / mean, a fraction')),
  median: nullable(number()),
  min: nullable(number()),
  max: nullable(number()),
  max_min_ratio: nullable(number()),
  share_of_total: nullable(number('Of the total migration time, a fraction')),
  outliers: list(count('Place in the list of migrations')),
})

const group = object({
  key: Type.Record(Type.String(), nullable(text('Level of the factor'))),
  migrations: count('All, whatever their outcome'),
  failed: count('Those that did not complete'),
  metrics: list(metric),
})

export const reportSchema = object({
  schema: text(),
  tool: object({ name: Type.Literal('mig-phases'), version: text() }),
  captures: list(capture),
  migrations: list(migration),
  groups: Type.Optional(list(group)),
})

export type ReportBySchema = Static<typeof reportSchema>
