import { describe, expect, test } from 'vitest'
import { RPC_LIST_MAX, SERVICE_TEXT_MAX } from '../../../src/core/limits.ts'
import type { Rpc } from '../../../src/events/amqp.ts'
import { readRpc } from '../../../src/protocols/amqp/oslo.ts'
import { novaObject, oslo, reply, request } from '../../support/amqp.ts'
import {
  INSTANCE,
  LIVE_MIGRATION,
  MIGRATION,
  MSG_ID,
  PLUGGED,
  PORT,
  PRE_LIVE_MIGRATION,
  REPLY_QUEUE,
  REQUEST_ID,
  SAVE,
  TOKEN,
} from './sample.ts'

function read(body: string | object): Rpc | null {
  return readRpc(typeof body === 'string' ? body : JSON.stringify(body), true)
}

function instanceOf(args: object): string | null | undefined {
  return read(request({ method: 'm', args, msgId: null }))?.instanceUuid
}

test('live_migration: who, where to, and the record of it', () => {
  expect(read(LIVE_MIGRATION.body)).toEqual({
    type: 'cast',
    method: 'live_migration',
    msgId: null,
    replyQueue: null,
    uniqueId: '76e866d1b56b488c88b879c6211e675b',
    ending: null,
    failure: null,
    requestId: REQUEST_ID,
    instanceUuid: INSTANCE,
    dest: 'compute2',
    host: null,
    migration: { uuid: MIGRATION, sourceCompute: 'compute1', destCompute: 'compute2', status: 'running' },
    object: null,
    events: [],
    partial: false,
  })
})

test('a migration is saved with a new status', () => {
  expect(read(SAVE.body)).toMatchObject({
    type: 'call',
    method: 'object_action',
    instanceUuid: INSTANCE,
    migration: { uuid: MIGRATION, status: 'running' },
    object: { name: 'Migration', action: 'save', uuid: MIGRATION, status: 'running', changes: ['status'] },
  })
})

test('external events', () => {
  expect(read(PLUGGED.body)).toMatchObject({
    method: 'external_instance_event',
    instanceUuid: INSTANCE,
    events: [{ name: 'network-vif-plugged', tag: PORT, status: 'completed', instanceUuid: INSTANCE }],
  })
  const many = Array.from({ length: RPC_LIST_MAX + 1 }, () => ({ name: 'x' }))
  expect(read(request({ method: 'm', args: { events: many }, msgId: null }))?.events).toHaveLength(
    RPC_LIST_MAX,
  )
})

test.each([
  ['a versioned object', { instance: novaObject('Instance', { uuid: INSTANCE }) }],
  ['a dictionary, as in Havana', { instance: { uuid: INSTANCE, id: 1 } }],
  ['a bare id', { instance_uuid: INSTANCE }],
  ['upper case', { instance_uuid: INSTANCE.toUpperCase() }],
  ['a list', { instances: [novaObject('Instance', { uuid: INSTANCE })] }],
  ['an instance that is saved', { objinst: novaObject('Instance', { uuid: INSTANCE }) }],
  ['something of an instance', { objinst: novaObject('InstanceInfoCache', { instance_uuid: INSTANCE }) }],
  ['keyword arguments', { objname: 'MigrationContext', kwargs: { instance_uuid: INSTANCE } }],
])('the instance: %s', (_, args) => {
  expect(instanceOf(args)).toBe(INSTANCE)
})

test.each([
  [{ instance: 'x' }],
  [{ instance_uuid: 'x' }],
  [{ instance: { uuid: 5 } }],
  [{}],
  [{ instances: 3 }],
])('no instance: %j', (args) => {
  expect(instanceOf(args)).toBeNull()
})

describe('replies', () => {
  test('a sign of life is not the end', () => {
    expect(read(reply(MSG_ID, { ending: false }))).toMatchObject({
      type: 'reply',
      msgId: MSG_ID,
      ending: false,
    })
  })

  test('in old releases the result comes without an end', () => {
    const body = oslo({ result: { a: 1 }, failure: null, _msg_id: MSG_ID, _unique_id: 'x' })
    expect(read(body)).toMatchObject({ type: 'reply', ending: null, failure: null })
  })

  test('a failure has class and message; the traceback is left out', () => {
    const failure = {
      class: 'DestinationDiskExists',
      module: 'nova.exception',
      message: `The supplied disk path exists, ${TOKEN} amqp://openstack:rabbit@host`,
      tb: ['Traceback'],
    }
    const rpc = read(reply(MSG_ID, { failure }))
    expect(rpc?.failure).toEqual({
      class: 'DestinationDiskExists',
      message: 'The supplied disk path exists, *** amqp://openstack:***@host',
    })
  })

  test('its message is bounded, one below, at and above the limit', () => {
    const size = (length: number) =>
      read(reply(MSG_ID, { failure: { class: 'X', message: `${'m'.repeat(length - 2)} e` } }))?.failure
        ?.message?.length
    expect(size(SERVICE_TEXT_MAX - 1)).toBe(SERVICE_TEXT_MAX - 1)
    expect(size(SERVICE_TEXT_MAX)).toBe(SERVICE_TEXT_MAX)
    expect(size(SERVICE_TEXT_MAX + 1)).toBe(SERVICE_TEXT_MAX - 1)
  })
})

test('notifications', () => {
  const event = 'compute.instance.live_migration.post.dest.end'
  const body = oslo({
    event_type: event,
    publisher_id: 'compute.compute2',
    payload: { instance_id: INSTANCE },
  })
  expect(read(body)).toMatchObject({
    type: 'notification',
    method: event,
    instanceUuid: INSTANCE,
    msgId: null,
  })
  const versioned = { event_type: 'instance.x', payload: novaObject('P', { uuid: INSTANCE }) }
  expect(read(oslo(versioned))).toMatchObject({ type: 'notification', instanceUuid: INSTANCE })
})

test('before there was an envelope, the body was the message', () => {
  expect(
    read({ method: 'live_migration', args: { instance: { uuid: INSTANCE } }, _msg_id: MSG_ID }),
  ).toMatchObject({
    type: 'call',
    instanceUuid: INSTANCE,
  })
})

test('the token is nowhere, wherever the text breaks off', () => {
  const text = JSON.stringify(PRE_LIVE_MIGRATION.body)
  for (let size = 0; size <= text.length; size++) {
    const said = JSON.stringify(readRpc(text.slice(0, size), size === text.length))
    expect(said).not.toContain(TOKEN)
  }
})

test('the start of a message tells what is whole in it', () => {
  const text = JSON.stringify(PRE_LIVE_MIGRATION.body)
  const upTo = (what: string) => readRpc(text.slice(0, text.indexOf(what) + what.length), false)
  expect(upTo('pre_live_migrat')).toBeNull()
  expect(upTo('pre_live_migration\\"')).toMatchObject({
    type: 'cast',
    method: 'pre_live_migration',
    partial: true,
  })
  expect(upTo(INSTANCE)?.instanceUuid).toBeNull()
  expect(upTo(`${INSTANCE}\\"`)?.instanceUuid).toBe(INSTANCE)
  expect(upTo(`${MSG_ID}\\"`)).toMatchObject({ type: 'call', msgId: MSG_ID, replyQueue: null })
  expect(upTo(`${REPLY_QUEUE}\\"`)).toMatchObject({ replyQueue: REPLY_QUEUE, requestId: null })
})
