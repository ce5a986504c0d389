// Kinds that attack what is read of OpenStack's services: HTTP and AMQP.
import { AMQP_HEADER, contentHeader, FRAME, frame, publish, published } from '../support/amqp.mjs'
import { join, text, u32 } from '../support/bytes.mjs'
import { Connection, nthConnection, pcap } from './frames.mjs'

const NOVA = 8774
const RABBITMQ = 5672

export const SERVICES = {
  /** A request on a connection of its own, with a token of its own. */
  'http-connections': pcap(2500, 100_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      const connection = nthConnection(capture, i, NOVA)
      connection.ask(text(`GET /v2.1/servers/${i} HTTP/1.1\r\nHost: a\r\nX-Auth-Token: s${i}\r\n\r\n`))
      connection.answer(response('200 OK', '{}'))
    }
  }),

  /** Bodies of nothing but brackets: HTTP_BODY_MAX. */
  'http-nesting': pcap(20, 600, (capture, count) => {
    const body = '['.repeat(125_000)
    for (let i = 0; i < count; i++) {
      const connection = nthConnection(capture, i, NOVA)
      connection.ask(post(`/v2.1/servers/${uuid(i)}/action`, body))
      connection.answer(response('202 Accepted', ''))
    }
  }),

  /** Header lines without end. */
  'http-headers': pcap(50_000, 1_500_000, (capture, count) => {
    const connection = new Connection(capture, { serverPort: NOVA })
    connection.ask(text('GET /v2.1/servers/1 HTTP/1.1\r\n'))
    for (let i = 0; i < count; i += 10) connection.ask(text(`X-H${i}: ${'a'.repeat(100)}\r\n`.repeat(10)))
  }),

  /** One line without end: HTTP_LINE_MAX. */
  'http-line': pcap(5000, 300_000, (capture, count) => {
    const connection = new Connection(capture, { serverPort: NOVA })
    connection.ask(text('GET /v2.1/servers/1 HTTP/1.1\r\n'))
    for (let i = 0; i < count; i++) connection.ask(new Uint8Array(1400).fill(65))
  }),

  /** Requests that are never answered: HTTP_WAITING_MAX. */
  'http-pipeline': pcap(10_000, 600_000, (capture, count) => {
    const connection = new Connection(capture, { serverPort: NOVA })
    for (let i = 0; i < count; i += 20)
      connection.ask(text(`GET /v2.1/servers/${i} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(20)))
  }),

  /** A body of 4 GiB. */
  'http-length': pcap(5000, 300_000, (capture, count) => {
    const connection = new Connection(capture, { serverPort: NOVA })
    connection.ask(text('POST /v3/auth/tokens HTTP/1.1\r\nContent-Length: 4294967295\r\n\r\n'))
    for (let i = 0; i < count; i++) connection.ask(new Uint8Array(1400).fill(65))
  }),

  /** Chunks of one byte. */
  'http-chunks': pcap(200_000, 10_000_000, (capture, count) => {
    const connection = new Connection(capture, { serverPort: NOVA })
    const chunks = text('1\r\n{\r\n'.repeat(200))
    connection.ask(text('POST /v3/auth/tokens HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n'))
    for (let i = 0; i < count; i += 200) connection.ask(chunks)
  }),

  /** Requests for live migrations of different servers: MIGRATIONS_MAX. */
  'nova-requests': pcap(3000, 20_000, (capture, count) => {
    const connections = Array.from({ length: 4 }, (_, i) => nthConnection(capture, i, NOVA))
    const body = '{"os-migrateLive": {"host": null, "block_migration": "auto"}}'
    for (let i = 0; i < count; i++) {
      const connection = connections[i % connections.length]
      connection.ask(post(`/v2.1/servers/${uuid(i)}/action`, body))
      connection.answer(response('202 Accepted', '', `x-openstack-request-id: req-${uuid(i)}\r\n`))
    }
  }),

  /** The same as Nova's own messages tell of them. */
  'nova-messages': pcap(600, 20_000, (capture, count) => {
    const broker = openBroker(capture)
    for (let i = 0; i < count; i++) broker.ask(publish(1, 'compute', oslo(i)))
  }),

  /** Lookups of servers by different clients, each of which may be about to migrate one. */
  'nova-lookups': pcap(1200, 50_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      const connection = new Connection(capture, { client: 2 + i, serverPort: NOVA })
      connection.ask(text(`GET /v2.1/servers/${uuid(i)} HTTP/1.1\r\nHost: a\r\n\r\n`))
      connection.answer(response('200 OK', `{"server": {"id": "${uuid(i)}", "status": "ACTIVE"}}`))
    }
  }),

  /** Tables in tables, as deep as a frame lets them. */
  'amqp-tables': pcap(400, 20_000, (capture, count) => {
    const broker = openBroker(capture)
    const start = frame(FRAME.method, 0, join([0, 10, 0, 10, 0, 9], nestedTable(13_000)))
    for (let i = 0; i < count; i++) broker.answer(start)
  }),

  /** Messages on all channels that never become whole: AMQP_CHANNELS_MAX. */
  'amqp-channels': pcap(10_000, 300_000, (capture, count) => {
    const broker = openBroker(capture)
    for (let i = 0; i < count; i++) broker.ask(unfinished(1 + (i % 65_535), `q${i}`))
  }),

  /** The same on as many connections. */
  'amqp-connections': pcap(2000, 60_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      const broker = nthConnection(capture, i, RABBITMQ)
      broker.ask(join(AMQP_HEADER, unfinished(1, `q${i}`)))
    }
  }),

  /** Bodies of nothing but brackets, in oslo.messaging's envelope and without: AMQP_BODY_MAX. */
  'amqp-nesting': pcap(20, 800, (capture, count) => {
    const broker = openBroker(capture)
    const wrapped = `{"oslo.version":"2.0","oslo.message":"${'['.repeat(100_000)}"}`
    const messages = [wrapped, '['.repeat(120_000)].map((body) => publish(1, 'compute', body))
    for (let i = 0; i < count; i++) broker.ask(messages[i & 1])
  }),
}

function post(path, body) {
  const headers = `Host: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  return text(`POST ${path} HTTP/1.1\r\n${headers}\r\n${body}`)
}

function response(status, body, headers = '') {
  return text(`HTTP/1.1 ${status}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`)
}

function uuid(number) {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}

function openBroker(capture) {
  const broker = new Connection(capture, { serverPort: RABBITMQ })
  broker.ask(AMQP_HEADER)
  return broker
}

/** 50 of 200 bytes. */
function unfinished(channel, routingKey) {
  const body = new Uint8Array(50).fill(123)
  return join(published(channel, routingKey), contentHeader(channel, 200), frame(FRAME.body, channel, body))
}

/** A table of one field that is a table, and so on. */
function nestedTable(size) {
  let table = new Uint8Array(0)
  while (table.length < size) table = join([1, 97, 70], u32(table.length), table)
  return join(u32(table.length), table)
}

/** Nova's order to a source, as oslo.messaging sends it: JSON in JSON. */
function oslo(number) {
  const instance = { 'nova_object.name': 'Instance', 'nova_object.data': { uuid: uuid(number) } }
  const message = {
    method: 'live_migration',
    args: { instance, dest: 'compute2', block_migration: false },
    version: '6.0',
    _unique_id: uuid(number).replaceAll('-', ''),
    _context_request_id: `req-${uuid(number)}`,
  }
  return JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) })
}
