/** Every limit of the program, with its unit and its reason. Reaching one is a diagnostic and less detail,
 *  never more memory. */

/** Bytes of one captured packet: libpcap's MAXIMUM_SNAPLEN, which Wireshark enforces too. No tool writes more, so a
 *  larger length is damage. */
export const PACKET_SIZE_MAX = 262_144

/** Bytes of one pcapng block that is read whole: a packet with generous options. Blocks that are not needed are
 *  skipped without being held. */
export const BLOCK_SIZE_MAX = PACKET_SIZE_MAX + 64 * 1024

/** Bytes of one pcapng block that is skipped: a TLS key log or a long list of names. A larger length is damage. */
export const BLOCK_SKIP_MAX = 64 * 1024 * 1024

/** Bytes of the comment in a DPMI file of an old version, which is told from other files by being no longer: the tools write a
 *  line, and version 0.7 allows 64 KiB. */
export const DPMI_COMMENT_MAX = 65_535

/** Streams of DPMI measurement frames whose sequence numbers are followed: one a measurement point and receiver. */
export const MEASUREMENT_STREAMS_MAX = 256

/** Nanoseconds that a stamp may lie behind a later one without any consequence: two processors stamp packets out of order by some
 *  0.1 ms, which no figure shows. */
export const ORDER_TOLERANCE_NS = 1e6

/** Nanoseconds that packets wait for earlier ones once they are out of order: several interfaces that are read in turns, blocks of a
 *  ring buffer, captures put together. What lies further back is a clock that was set. */
export const ORDER_WINDOW_NS = 1e9

/** Bytes of packets that wait so: 0.3 s of a busy 1 Gbit/s link, and many seconds of one that only carries libvirt. */
export const ORDER_BYTES_MAX = 32 * 1024 * 1024

/** Packets that wait so. */
export const ORDER_PACKETS_MAX = 65_536

/** Packets whose numbers in the file are known again after they were put in order, 4 bytes each. Behind these, numbers may be off
 *  by as much as packets were out of order. */
export const REORDERED_MAX = 8 * 1024 * 1024

/** Bytes of the window of a zstd frame, which is memory that reading it takes: what zstd itself grants unless told
 *  otherwise. */
export const ZSTD_WINDOW_MAX = 128 * 1024 * 1024

/** The same where Node does not read zstd itself: what every decoder must grant (RFC 8878, 3.1.1.1.2). Files of more are
 *  only written with `--long` or `--ultra`, and would be read slowly. */
export const ZSTD_PACKAGE_WINDOW_MAX = 8 * 1024 * 1024

/** Bytes that the package may move in its window for one zstd frame, some 0.1 s, and for each byte that it reads beyond that: a
 *  block of 2 KiB, which is what streams flush at the least, in the largest window. What takes more was made to. */
export const ZSTD_MOVED_MAX = 1024 * 1024 * 1024
export const ZSTD_MOVED_SHARE_MAX = 4096

/** Bytes of a thread's heap and buffers from which on garbage is collected without waiting for V8 to do so: all captures of
 *  migrations that are at hand stay below. And by how much it may grow until that is done again. */
export const COLLECT_FROM = 64 * 1024 * 1024
export const COLLECT_STEP = 16 * 1024 * 1024

/** Interfaces of one pcapng section. */
export const INTERFACES_MAX = 4096

/** Names of interfaces and measurement points kept of one capture. */
export const INTERFACE_NAMES_MAX = 256

/** TCP connections tracked at once: a thousand or two are open at a busy controller, and closed ones leave early. One costs 3 to
 *  4 KiB (measured with a flood of SYNs), and up to 14 KiB with decoders of its own. */
export const CONNECTIONS_MAX = 4096

/** Connections that are still followed although they are closed: for packets that are late, or sent again. A busy service closes
 *  some thousand a second, and such packets come within a round trip. */
export const CLOSED_CONNECTIONS_MAX = 1024

/** Connections of which only the SYN was seen: an answer comes within a round trip, 1024 of them at 0.1 s are 10 000 a second
 *  that nobody answers. With more, memory peaks higher: what is dropped has lived long enough to be garbage of the costly kind. */
export const UNANSWERED_MAX = 1024

/** IP addresses that are numbered before those without a connection are forgotten: some 100 bytes each. */
export const ADDRESSES_MAX = 65_536

/** IP datagrams whose fragments are put together at once, 72 KiB each: the fragments of one are sent back to back, so that
 *  few are open at any time. */
export const DATAGRAMS_MAX = 64

/** Nanoseconds until a datagram with missing fragments is given up. Long before that, a fast sender uses its identification
 *  again (RFC 4963 section 2). */
export const FRAGMENT_PATIENCE_NS = 2e9

/** Tunnels inside of each other: a mirror's, and the one of the guest whose frame was mirrored, with one to spare. */
export const TUNNEL_DEPTH_MAX = 3

/** Nanoseconds until a copy of a packet turns up: what interfaces of one machine and ports of one switch take, less than TCP
 *  takes to send the same with the same identification again. */
export const COPY_WINDOW_NS = 10e6

/** The same where packets have no identification: an acknowledgement may be repeated as it was. */
export const COPY_UNIDENTIFIED_WINDOW_NS = 1e6

/** Packets remembered as ones that a copy may follow: 10 ms of a busy 10 Gbit/s link, 32 bytes each. A power of two. */
export const COPIES_REMEMBERED = 16_384

/** TCP packets that are compared at the start: a mirror that copies does so from its first connection on. */
export const COPY_WATCH_START = 1000

/** TCP packets that are compared after a sign of copies. */
export const COPY_WATCH_PACKETS = 10_000

/** Bytes that a segment may lie beyond what came, before another one or an acknowledgement has to confirm it: four times
 *  the largest window that Linux grants by default, so that only the loss of a long stretch waits for confirmation. */
export const SEQUENCE_JUMP_MAX = 24 * 1024 * 1024

/** Out-of-order bytes kept for one direction of one connection: the largest receive window Linux grants by
 *  default (tcp_rmem, 6 MiB) with room for a tuned long link. */
export const REASSEMBLY_BYTES_MAX = 16 * 1024 * 1024

/** Out-of-order bytes kept for all connections together. */
export const REASSEMBLY_TOTAL_BYTES_MAX = 48 * 1024 * 1024

/** Out-of-order segments kept for one direction: the receive window above takes 4,345 of an ordinary Ethernet. Each new one may have to
 *  be put before all others, so that their number bounds the time, too. */
export const REASSEMBLY_SEGMENTS_MAX = 8192

/** What one kept out-of-order segment costs beside its bytes, so that many tiny ones meet the limit too: with 160, 2000 connections
 *  that wait for a segment took 281 MiB, with this 228. */
export const SEGMENT_OVERHEAD = 400

/** Packets to wait after an acknowledgement covers a hole before the hole counts as lost by the capture:
 *  taps deliver segments of the two directions up to a few dozen packets out of order. */
export const HOLE_PATIENCE_PACKETS = 256

/** Nanoseconds after which a hole that nobody acknowledged counts as lost all the same: TCP's retransmission timer has
 *  fired six times by then (RFC 6298, first after 0.2 s to 1 s, doubling). */
export const HOLE_PATIENCE_NS = 30e9

/** Bytes of a stream's start that are kept until its protocol is known: the libvirt header is the longest signature. */
export const SIGNATURE_SIZE_MAX = 28

/** Bytes kept of one libvirt RPC message body. libvirt allows 32 MiB, but the migration calls of a domain with
 *  hundreds of devices stay below 1 MiB; what lies past the limit is counted and not read. */
export const LIBVIRT_BODY_MAX = 2 * 1024 * 1024

/** Bytes of message bodies kept for all connections together. */
export const BODIES_TOTAL_MAX = 32 * 1024 * 1024

/** Largest libvirt RPC message that is believed: 32 MiB since libvirt 3.4 (VIR_NET_MESSAGE_MAX), plus its length word. */
export const LIBVIRT_MESSAGE_MAX = 32 * 1024 * 1024 + 4

/** TLS records reported for one direction: a libvirt conversation has a few dozen and a keepalive every 5 s, which makes
 *  a day and more. */
export const TLS_RECORDS_MAX = 20_000

/** RAM blocks of one guest; a large machine with hundreds of DIMMs and devices has some hundreds. */
export const RAM_BLOCKS_MAX = 4096

/** Bytes for telling the rounds of all memory streams apart, at two bits a page: guests of 1 TiB together, with pages of
 *  4 KiB. Where that is not enough, rounds are not reported. */
export const ROUND_MAPS_TOTAL_MAX = 72 * 1024 * 1024

/** Rounds of one memory stream. A guest that does not converge makes one in some 10 ms to minutes; what comes after so
 *  many counts as one. */
export const ROUNDS_MAX = 10_000

/** What a reported round costs, taken from the same room as the maps. */
export const ROUND_OVERHEAD = 256

/** Channels of a parallel migration beside the main one: QEMU's `multifd-channels` is one byte. */
export const CHANNELS_MAX = 255

/** Packets of a parallel migration that wait for a channel that lags behind, so that all of them can be put in order: 4 GiB of
 *  memory, which is what the others send at 10 Gbit/s while one channel of TCP waits for three seconds. */
export const PARALLEL_PACKETS_MAX = 8192

/** What a waiting packet costs beside the offsets of its pages. All of it is taken from the same room as the maps. */
export const PARALLEL_PACKET_OVERHEAD = 512

/** Connections with a guest's memory, or with its disks, of one migration: 255 channels, the main one and that of urgent pages,
 *  and as many again where the migration is taken up again. */
export const MIGRATION_CONNECTIONS_MAX = 512

/** Connections of all migrations that are followed: two or three each as a rule, some 1 KB each once they are closed. */
export const MIGRATION_CONNECTIONS_TOTAL_MAX = 16_384

/** Connections remembered because a migration may turn out to own them: for each migration, and for all. */
export const CANDIDATES_MAX = 256
export const CANDIDATES_TOTAL_MAX = 2048

/** Messages of Nova's services and clients that are remembered of one migration, so that bytes can be told by phase: one of Zed
 *  has some 40, and clients that wait for it ask every few seconds. And of all migrations. */
export const NOVA_MESSAGES_MAX = 2048
export const NOVA_MESSAGES_TOTAL_MAX = 128 * 1024

/** Migrations of one capture that are followed, 13 KB each: hypervisors run a few at once, and of a capture that holds more, those
 *  that are over are described meanwhile. */
export const MIGRATIONS_MAX = 2048

/** From so many on, those that are over are described before the capture ends. */
export const MIGRATIONS_HELD = 512

/** Bytes of reports that are held until the capture ends: those of some 2700 migrations with a few rounds. With as many again that are
 *  followed, the process takes 220 MiB. Live, each is printed when it is over, and there is no such limit. */
export const REPORTS_TOTAL_MAX = 24 * 1024 * 1024

/** What a report costs, beside its rounds and its bins of bytes over time. */
export const REPORT_OVERHEAD = 9 * 1024

/** Nanoseconds that a migration which is over is kept, so that what comes late still belongs to it: in 86 migrations of the
 *  laboratory's captures nothing changed a report later than 0.05 s after libvirt's connection had ended, and 1 s after Nova's
 *  last step (its messages and the status of its record). Pings are waited for longer, as long as they count. */
export const LATE_NS = 5e9

/** The same for a connection of libvirt that stays open after a migration, as a client's does that has more to do. */
export const KEPT_OPEN_NS = 30e9

/** Nanoseconds that the daemons may take to tidy up after the guest runs at its new host: to free a terabyte of memory takes
 *  about one minute. */
export const CLEANUP_NS = 300e9

/** Nanoseconds of silence, on the wire that goes on, after which a migration is given up: twice as long as the daemons' own
 *  limit (30 s), which a connection over which nothing passes any more has long met. */
export const SILENCE_NS = 60e9

/** The same while Nova has volumes and networks made ready at the destination, which may take half an hour, or waits for a
 *  transfer that is not in the capture. */
export const NOVA_WORK_NS = 3600e9

/** Nanoseconds until a connection that is closed, or what passed on one that belongs to no migration, is forgotten. */
export const CLOSED_NS = 60e9
export const PASSED_NS = 600e9

/** The same until a silent connection that belongs to no migration is taken to be gone: Linux asks after two hours whether the
 *  other end is still there, and then nine times, 75 s apart (tcp_keepalive_time). libvirt and AMQP ask much more often. */
export const IDLE_NS = 7875e9

/** Migrations whose figures are kept for the tables at the end of a live run, 1 KB each. */
export const LIVE_RUNS_MAX = 10_000

/** Request ids of migrations that were reported, remembered so that a late message begins no other. */
export const REPORTED_MAX = 1024

/** Events held back while an earlier packet's bytes may still turn up. */
export const EVENTS_PENDING_MAX = 100_000

/** Bytes of one HTTP start line, header line or chunk-size line. PKI tokens, the largest headers, have 8 to 16 KiB, and
 *  no server takes lines of more than 64 KiB. A longer line is skipped. */
export const HTTP_LINE_MAX = 32 * 1024

/** Bytes kept of one HTTP body, of those that are read at all. A token response with the catalog of a large cloud and a
 *  server with 64 KiB of user data fit. */
export const HTTP_BODY_MAX = 128 * 1024

/** Characters of a path that an event carries. */
export const HTTP_PATH_MAX = 2048

/** HTTP requests of one connection that may wait for their response; clients of OpenStack do not pipeline, so that one
 *  is the rule. Also responses whose request may still turn up. */
export const HTTP_WAITING_MAX = 64

/** Largest AMQP frame that is believed in the middle of a stream that makes sense. RabbitMQ's default is 128 KiB; brokers
 *  may be set to allow more. */
export const AMQP_FRAME_MAX = 16 * 1024 * 1024

/** Bytes kept of one AMQP message body. Nova's calls have 3 to 11 KiB; instances with dozens of disks and ports some
 *  100 KiB. */
export const AMQP_BODY_MAX = 256 * 1024

/** Channels of one connection whose messages are followed at once: RabbitMQ's default limit, rounded up. */
export const AMQP_CHANNELS_MAX = 2048

/** Characters kept of an error message that a service sent. */
export const SERVICE_TEXT_MAX = 1000

/** External events and changed fields reported of one RPC message: one a port, or a column of a table. */
export const RPC_LIST_MAX = 64

/** Clients' echo conversations (ping) followed at once; a host or two pings a guest, monitoring some dozens. */
export const ECHO_CONVERSATIONS_MAX = 128

/** Echo requests remembered of one conversation, 16 bytes each: half a minute at one a millisecond, which holds the
 *  switch-over with some seconds around it. All conversations together stay below 64 MiB. A power of two. */
export const ECHO_REQUESTS_MAX = 32_768

/** Lines with a time stamp kept of one ping log, 24 bytes each: half an hour of one request a millisecond, or days of the
 *  usual ones. */
export const PING_LINES_MAX = 2_000_000

/** Characters of one line of a ping log; iputils writes some 80. What is longer is no such line. */
export const PING_LINE_MAX = 1024

/** Bytes of the name of an NBD export: what the protocol allows for strings. A longer name is not read. */
export const NBD_NAME_MAX = 4096

/** READ requests of one NBD connection that may wait for their reply; QEMU has 16 at once. */
export const NBD_READS_MAX = 1024

/** Bins of bytes over time kept of one direction of a connection, 16 bytes each: 11 minutes without a pause at 10 ms, 1.8 hours
 *  at 100 ms. What lasts longer is kept in wider bins. A power of two. */
export const RATE_BINS_MAX = 65_536

/** Bins of bytes over time that one report has of all its migrations, 8 bytes each: 32 of them have as many as are kept. Those of
 *  more have wider ones. */
export const REPORT_BINS_TOTAL_MAX = 2 * 1024 * 1024

/** Bytes for the bins of all connections together. */
export const RATES_TOTAL_MAX = 24 * 1024 * 1024

/** Comments put on one packet: a packet stands for a few boundaries of a migration, and the most that migrations which share a
 *  connection have in common. */
export const PACKET_COMMENTS_MAX = 64

/** Bytes of packets that wait, while a capture is redacted, until it is known what they hold: a message of a few packets as a
 *  rule, and at most what a lost segment holds up until it is given up. */
export const REDACT_HELD_MAX = 64 * 1024 * 1024

/** Bytes of what may be written of all streams, those of packets that wait and those that may be sent once more. */
export const REDACT_KEPT_MAX = 64 * 1024 * 1024

/** MAC addresses whose text is remembered: it is made anew for others. */
export const MAC_TEXTS_MAX = 4096

/** Logins at Keystone that are remembered: users and services log in all the time, and one of them is the migration's. */
export const KEYSTONE_EXCHANGES_MAX = 4096

/** Messages of one look at Keystone's version documents: clients take one or two exchanges. */
export const KEYSTONE_LOOKS_MAX = 8

/** MACs remembered of one address that is pinged: guests with several paths to them. */
export const ECHO_MACS_MAX = 4

/** Exchanges with Nova's API, and calls of its services, that may still be answered. */
export const NOVA_WAITING_MAX = 16_384

/** Events of a libvirt connection kept until it is known whether a migration follows. A client asks a dozen
 *  questions before it prepares. */
export const PRELUDE_MAX = 64

/** Conversations between libvirt's daemons that came to nothing, of which it is waited whether more is said; beyond that the first
 *  one is told as a failed migration. */
export const RESTING_MAX = 1024

/** Last pages of a parallel migration's packets that are remembered. QEMU before 8.0 may send the last page of a full packet a second time, as the
 *  first of the next one; numbered anew for a SYNC, that one may come some packets later.
 *  @see QEMU migration/multifd.c, "multifd: Fix a race on reading MultiFDPages_t.block" */
export const TAILS_MAX = 1024

/** Migrations that are followed at once; when there are more, the first one gets no more connections. */
export const ACTIVE_MIGRATIONS_MAX = 1024

/** SYNs to libvirt's ports that may still be answered: a daemon is asked by a few others at once. */
export const ATTEMPTS_OPEN_MAX = 256

/** Refused connections to libvirt's ports that are told as failed migrations: beyond that somebody scans ports. */
export const ATTEMPTS_MAX = 1024

/** Server ports that are told apart in the summary of what was there; the rest are counted together. */
export const SERVER_PORTS_MAX = 1024

/** Packets remembered, while captures are merged, as ones that another point may have seen, too: a second of a busy 10 Gbit/s
 *  link. */
export const MERGE_REMEMBERED_MAX = 1_000_000

/** Packets of one capture by which its clock is compared with that of another. When there are more, a part of them is kept that is the same part in all captures. */
export const SIGHTINGS_MAX = 50_000
