/** Numbers of the libvirt RPC that a migration report meets. Procedure numbers never changed since 0.10.2.
 *  @see libvirt src/remote/remote_protocol.x, src/rpc/virnetprotocol.x, include/libvirt/libvirt-domain.h,
 *  include/libvirt/virterror.h, src/libvirt_internal.h */

export const PROGRAM = {
  remote: 0x20008086,
  qemu: 0x20008087,
  lxc: 0x00068000,
  admin: 0x06900690,
  keepalive: 0x6b656570,
} as const

export const MESSAGE_TYPE = {
  call: 0,
  reply: 1,
  message: 2,
  stream: 3,
  callWithFds: 4,
  replyWithFds: 5,
  streamHole: 6,
} as const

export const STATUS = { ok: 0, error: 1, continue: 2 } as const

export const KEEPALIVE = { ping: 1, pong: 2 } as const

/** Of the remote program; names as in remote_protocol.x since libvirt 1.1.0. */
export const PROCEDURE = {
  CONNECT_OPEN: 1,
  CONNECT_CLOSE: 2,
  DOMAIN_LOOKUP_BY_ID: 22,
  DOMAIN_LOOKUP_BY_NAME: 23,
  DOMAIN_LOOKUP_BY_UUID: 24,
  CONNECT_GET_HOSTNAME: 59,
  CONNECT_SUPPORTS_FEATURE: 60,
  DOMAIN_MIGRATE_PREPARE: 61,
  DOMAIN_MIGRATE_PERFORM: 62,
  DOMAIN_MIGRATE_FINISH: 63,
  AUTH_LIST: 66,
  AUTH_SASL_INIT: 67,
  AUTH_SASL_START: 68,
  AUTH_SASL_STEP: 69,
  AUTH_POLKIT: 70,
  DOMAIN_EVENT_LIFECYCLE: 107,
  DOMAIN_MIGRATE_PREPARE2: 108,
  DOMAIN_MIGRATE_FINISH2: 109,
  CONNECT_GET_URI: 110,
  DOMAIN_MIGRATE_PREPARE_TUNNEL: 148,
  DOMAIN_GET_JOB_INFO: 163,
  DOMAIN_ABORT_JOB: 164,
  DOMAIN_MIGRATE_SET_MAX_DOWNTIME: 166,
  CONNECT_DOMAIN_EVENT_REGISTER_ANY: 167,
  DOMAIN_MIGRATE_SET_MAX_SPEED: 207,
  DOMAIN_MIGRATE_BEGIN3: 213,
  DOMAIN_MIGRATE_PREPARE3: 214,
  DOMAIN_MIGRATE_PREPARE_TUNNEL3: 215,
  DOMAIN_MIGRATE_PERFORM3: 216,
  DOMAIN_MIGRATE_FINISH3: 217,
  DOMAIN_MIGRATE_CONFIRM3: 218,
  DOMAIN_GET_JOB_STATS: 298,
  DOMAIN_MIGRATE_BEGIN3_PARAMS: 302,
  DOMAIN_MIGRATE_PREPARE3_PARAMS: 303,
  DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS: 304,
  DOMAIN_MIGRATE_PERFORM3_PARAMS: 305,
  DOMAIN_MIGRATE_FINISH3_PARAMS: 306,
  DOMAIN_MIGRATE_CONFIRM3_PARAMS: 307,
  CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY: 316,
  DOMAIN_EVENT_CALLBACK_LIFECYCLE: 318,
  DOMAIN_EVENT_CALLBACK_MIGRATION_ITERATION: 359,
  CONNECT_REGISTER_CLOSE_CALLBACK: 360,
  CONNECT_UNREGISTER_CLOSE_CALLBACK: 361,
  CONNECT_EVENT_CONNECTION_CLOSED: 362,
  DOMAIN_EVENT_CALLBACK_JOB_COMPLETED: 363,
  DOMAIN_MIGRATE_START_POST_COPY: 364,
  DOMAIN_ABORT_JOB_FLAGS: 442,
} as const

const procedureNames = new Map<number, string>(
  Object.entries(PROCEDURE).map(([name, number]) => [number, name]),
)

/** Name of a procedure of the remote program; null for one that no report names. */
export function procedureName(procedure: number): string | null {
  return procedureNames.get(procedure) ?? null
}

/** The calls whose stream carries the guest's memory inside the connection. */
export function isTunnelPrepare(procedure: number): boolean {
  return (
    procedure === PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL ||
    procedure === PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3 ||
    procedure === PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS
  )
}

/** virErrorNumber: those met around migrations. */
export const ERROR_CODE = {
  INTERNAL_ERROR: 1,
  OPERATION_FAILED: 9,
  SYSTEM_ERROR: 38,
  RPC: 39,
  NO_DOMAIN: 42,
  AUTH_FAILED: 45,
  OPERATION_INVALID: 55,
  CONFIG_UNSUPPORTED: 67,
  MIGRATE_PERSIST_FAILED: 69,
  ARGUMENT_UNSUPPORTED: 74,
  OPERATION_ABORTED: 78,
  MIGRATE_UNSAFE: 81,
  /** The destination's normal answer to a cancelled finish, since libvirt 1.2.18. */
  MIGRATE_FINISH_OK: 93,
} as const

/** virErrorDomain: those met around migrations. */
export const ERROR_DOMAIN = { RPC: 7, QEMU: 10, REMOTE: 13 } as const

/** What CONNECT_SUPPORTS_FEATURE asks for. */
export const FEATURE = {
  MIGRATION_V1: 1,
  MIGRATION_V2: 3,
  MIGRATION_P2P: 4,
  MIGRATION_DIRECT: 5,
  MIGRATION_V3: 6,
  MIGRATE_CHANGE_PROTECTION: 7,
  FD_PASSING: 8,
  TYPED_PARAM_STRING: 9,
  PROGRAM_KEEPALIVE: 10,
  XML_MIGRATABLE: 11,
  MIGRATION_OFFLINE: 12,
  MIGRATION_PARAMS: 13,
  REMOTE_EVENT_CALLBACK: 14,
  REMOTE_CLOSE_CALLBACK: 15,
} as const
