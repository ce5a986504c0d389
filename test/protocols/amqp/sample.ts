import {
  ack,
  channelClose,
  deliver,
  HEARTBEAT,
  novaObject,
  type Parcel,
  publish,
  reply,
  request,
} from '../../support/amqp.ts'

export const INSTANCE = '9c994cd3-50f9-4611-87a8-b9a5f15839c5'
export const PORT = '6d9f22ba-67ad-4144-8f26-2ea3154d6270'
export const MIGRATION = '52e4944b-9352-4aae-9cb2-25724ef6ab04'
export const MSG_ID = '2de1be3d086a40b689872db08995475a'
export const REPLY_QUEUE = 'reply_1807a65ac5e44356924fa5030cf68ec1'
export const REQUEST_ID = 'req-2fa0b4a8-6281-4b7c-820c-50e075c0be6c'
export const TOKEN = 'gAAAAABrADSMcKDSLJwrTvSjjx8eWbBpsq64Cee'

const instance = novaObject('Instance', { id: 1, host: 'compute1', task_state: 'migrating', uuid: INSTANCE })
const migration = {
  uuid: MIGRATION,
  source_compute: 'compute1',
  dest_compute: 'compute2',
  instance_uuid: INSTANCE,
  status: 'running',
}

function to(routingKey: string, body: object, exchange = 'nova'): Parcel {
  return { exchange, routingKey, body }
}

export const LIVE_MIGRATION = to(
  'compute.compute1',
  request({
    method: 'live_migration',
    args: { dest: 'compute2', instance, migration: novaObject('Migration', migration) },
    msgId: null,
    requestId: REQUEST_ID,
    token: TOKEN,
  }),
)

export const PRE_LIVE_MIGRATION = to(
  'compute.compute2',
  request({
    method: 'pre_live_migration',
    args: { instance, disk: null, migrate_data: {} },
    msgId: MSG_ID,
    replyQueue: REPLY_QUEUE,
    requestId: REQUEST_ID,
    token: TOKEN,
  }),
)

export const PRE_REPLY = to(REPLY_QUEUE, reply(MSG_ID, { result: { vifs: [] } }), '')

export const SAVE = to(
  'conductor',
  request({
    method: 'object_action',
    args: {
      objinst: novaObject('Migration', migration, ['status']),
      objmethod: 'save',
      args: [],
      kwargs: {},
    },
    msgId: 'f'.repeat(32),
    token: TOKEN,
  }),
)

export const PLUGGED = to(
  'compute.compute1',
  request({
    method: 'external_instance_event',
    args: {
      instances: [instance],
      events: [
        novaObject('InstanceExternalEvent', {
          instance_uuid: INSTANCE,
          name: 'network-vif-plugged',
          status: 'completed',
          tag: PORT,
          data: {},
        }),
      ],
    },
    msgId: null,
  }),
)

/** What a source's nova-compute sends, and what it gets. */
export const TO_BROKER: readonly Uint8Array[] = [
  publish(PRE_LIVE_MIGRATION),
  HEARTBEAT,
  ack(7),
  publish({ ...SAVE, channel: 2, frameMax: 300 }),
  channelClose(2, 200, 'bye'),
]

export const FROM_BROKER: readonly Uint8Array[] = [
  deliver({ ...LIVE_MIGRATION, frameMax: 256 }),
  ack(1),
  deliver(PRE_REPLY),
  HEARTBEAT,
  deliver(PLUGGED),
  ack(2, 2, true),
]
