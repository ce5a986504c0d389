/** Every limit of the program, with its unit and its reason. Reaching one is a diagnostic and less detail,
 *  never more memory. */

/** Bytes of one captured packet: libpcap's MAXIMUM_SNAPLEN, which Wireshark enforces too. No tool writes more, so a
 *  larger length is damage. */
export const PACKET_SIZE_MAX = 262_144

/** Bytes of one pcapng block that is read whole: a packet with generous options. Blocks that are not needed are
 *  skipped without being held. */
export const BLOCK_SIZE_MAX = PACKET_SIZE_MAX + 64 * 1024

/** Interfaces of one pcapng section. */
export const INTERFACES_MAX = 4096

/** TCP connections tracked at once. One costs 3 to 4 KiB (measured with a flood of SYNs), so the table stays below
 *  64 MiB; closed ones make room first. */
export const CONNECTIONS_MAX = 16_384

/** IP addresses that are numbered before those without a connection are forgotten: some 100 bytes each. */
export const ADDRESSES_MAX = 131_072

/** Out-of-order bytes kept for one direction of one connection: the largest receive window Linux grants by
 *  default (tcp_rmem, 6 MiB) with room for a tuned long link. */
export const REASSEMBLY_BYTES_MAX = 16 * 1024 * 1024

/** Out-of-order bytes kept for all connections together. */
export const REASSEMBLY_TOTAL_BYTES_MAX = 48 * 1024 * 1024

/** What one kept out-of-order segment costs beside its bytes, so that many tiny ones meet the limit too. */
export const SEGMENT_OVERHEAD = 160

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

/** Migrations reported from one capture. */
export const MIGRATIONS_MAX = 100_000

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
