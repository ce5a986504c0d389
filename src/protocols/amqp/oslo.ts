import {
  asArray,
  asObject,
  type JsonObject,
  member,
  nameMember,
  parseJson,
  parseJsonPrefix,
  stringMember,
} from '../../core/json.ts'
import { RPC_LIST_MAX, SERVICE_TEXT_MAX } from '../../core/limits.ts'
import { withoutSecrets } from '../../core/redact.ts'
import type { ExternalEvent, Rpc, RpcFailure, RpcMigration, RpcObject } from '../../events/amqp.ts'

/** Versioned objects of Nova wrap their fields in this. @see oslo.versionedobjects base.py */
const DATA = 'nova_object.data'
const NAME = 'nova_object.name'
const CHANGES = 'nova_object.changes'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Reads the body of a message: the oslo.messaging envelope and what is in it. Null for anything else. What is not
 *  asked for here, such as the caller's context with its token, is not kept.
 *  @param whole false when the text breaks off: what its start tells is read
 *  @see oslo.messaging oslo_messaging/_drivers/common.py */
export function readRpc(body: string, whole: boolean): Rpc | null {
  const envelope = whole ? parseJson(body) : parseJsonPrefix(body, true)
  const inner = stringMember(envelope, 'oslo.message')
  // Before the envelope (Grizzly) the body was the message.
  const message = asObject(inner === null ? envelope : whole ? parseJson(inner) : parseJsonPrefix(inner))
  const type = message === null ? null : typeOf(message)
  if (message === null || type === null) return null
  const args = member(message, 'args')
  const payload = member(message, 'payload')
  return {
    type,
    method: nameMember(message, type === 'notification' ? 'event_type' : 'method'),
    msgId: nameMember(message, '_msg_id'),
    replyQueue: nameMember(message, '_reply_q'),
    uniqueId: nameMember(message, '_unique_id'),
    ending: booleanMember(message, 'ending'),
    failure: type === 'reply' ? failureOf(member(message, 'failure'), whole) : null,
    requestId: nameMember(message, '_context_request_id'),
    instanceUuid: type === 'notification' ? instanceOfPayload(payload) : instanceOf(args),
    dest: nameMember(args, 'dest'),
    host: nameMember(args, 'host'),
    migration: migrationOf(args),
    object: objectOf(args),
    events: externalEvents(args),
    partial: !whole,
  }
}

function typeOf(message: JsonObject): Rpc['type'] | null {
  if (nameMember(message, 'method') !== null)
    return stringMember(message, '_msg_id') === null ? 'cast' : 'call'
  if (nameMember(message, 'event_type') !== null) return 'notification'
  const isReply = ['result', 'failure', 'ending'].some((key) => Object.hasOwn(message, key))
  return isReply ? 'reply' : null
}

/** The failure is a JSON text once more. */
function failureOf(failure: unknown, whole: boolean): RpcFailure | null {
  if (typeof failure !== 'string' || failure === '') return null
  const details = whole ? parseJson(failure) : parseJsonPrefix(failure)
  const message = stringMember(details, 'message')
  return {
    class: nameMember(details, 'class'),
    message: message === null ? null : withoutSecrets(message, SERVICE_TEXT_MAX),
  }
}

/** The instance that a request is about, wherever its method has it. */
function instanceOf(args: unknown): string | null {
  const objinst = member(args, 'objinst')
  return (
    instanceUuid(member(args, 'instance')) ??
    uuidMember(args, 'instance_uuid') ??
    instanceUuid(asArray(member(args, 'instances'))[0]) ??
    uuidMember(asArray(member(args, 'events'))[0], 'instance_uuid') ??
    externalEvents(args)[0]?.instanceUuid ??
    // object_action: an instance itself, or something that belongs to one.
    (stringMember(objinst, NAME) === 'Instance' ? instanceUuid(objinst) : null) ??
    uuidMember(objinst, DATA, 'instance_uuid') ??
    uuidMember(member(args, 'kwargs'), 'instance_uuid') ??
    uuidMember(member(args, 'migration'), DATA, 'instance_uuid')
  )
}

/** A versioned object, or the plain dictionary of Havana and older. */
function instanceUuid(instance: unknown): string | null {
  return uuidMember(instance, DATA, 'uuid') ?? uuidMember(instance, 'uuid')
}

function instanceOfPayload(payload: unknown): string | null {
  return (
    uuidMember(payload, DATA, 'uuid') ?? uuidMember(payload, 'instance_id') ?? uuidMember(payload, 'uuid')
  )
}

/** `args.migration`, or the migration that is saved. */
function migrationOf(args: unknown): RpcMigration | null {
  const objinst = member(args, 'objinst')
  const saved = stringMember(objinst, NAME) === 'Migration' ? objinst : undefined
  const migration = member(args, 'migration') ?? saved
  const data = asObject(member(migration, DATA)) ?? asObject(migration)
  if (data === null) return null
  return {
    uuid: uuidMember(data, 'uuid'),
    sourceCompute: nameMember(data, 'source_compute'),
    destCompute: nameMember(data, 'dest_compute'),
    status: nameMember(data, 'status'),
  }
}

/** Of `object_action`. */
function objectOf(args: unknown): RpcObject | null {
  const objinst = asObject(member(args, 'objinst'))
  if (objinst === null) return null
  return {
    name: nameMember(objinst, NAME),
    action: nameMember(args, 'objmethod'),
    uuid: uuidMember(objinst, DATA, 'uuid'),
    status: nameMember(objinst, DATA, 'status'),
    taskState: nameMember(objinst, DATA, 'task_state'),
    changes: asArray(member(objinst, CHANGES))
      .slice(0, RPC_LIST_MAX)
      .filter((field) => typeof field === 'string'),
  }
}

/** Of `external_instance_event`; `sync_instance_info` and others have lists of their own under that name. */
function externalEvents(args: unknown): readonly ExternalEvent[] {
  return asArray(member(args, 'events'))
    .slice(0, RPC_LIST_MAX)
    .map((event) => {
      const data = asObject(member(event, DATA)) ?? asObject(event)
      return {
        name: nameMember(data, 'name'),
        tag: nameMember(data, 'tag'),
        status: nameMember(data, 'status'),
        instanceUuid: uuidMember(data, 'instance_uuid'),
      }
    })
}

function uuidMember(value: unknown, ...path: readonly string[]): string | null {
  const uuid = nameMember(value, ...path)
  return uuid !== null && UUID.test(uuid) ? uuid.toLowerCase() : null
}

function booleanMember(value: unknown, key: string): boolean | null {
  const found = member(value, key)
  return typeof found === 'boolean' ? found : null
}
