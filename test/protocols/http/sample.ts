import { authorised, httpResponse, liveMigrate, loginV3, serverReply, tokenV3 } from '../../support/http.ts'

export const SERVER = '9c994cd3-50f9-4611-87a8-b9a5f15839c5'
export const PORT = '6d9f22ba-67ad-4144-8f26-2ea3154d6270'
export const REQUEST_ID = 'req-2fa0b4a8-6281-4b7c-820c-50e075c0be6c'
/** Looks like a Fernet token. */
export const TOKEN = `gAAAAABrADSM${'cKDSLJwrTvSjjx8eWbBpsq64Cee_EOK61jnwW4uMWJ5vhdaREJ29'.repeat(3)}`
export const PASSWORD = 'correct horse battery staple'

/** What a client asks, each request answered before the next. */
export const REQUESTS: readonly Uint8Array[] = [
  authorised('GET', `/v2.1/servers/${SERVER}`, TOKEN),
  loginV3({ user: 'admin', password: PASSWORD }, '/identity'),
  authorised('HEAD', '/v2/images', TOKEN),
  authorised('POST', `/v2.1/servers/${SERVER}/action`, TOKEN, liveMigrate('compute2')),
  authorised('PUT', `/v2.0/ports/${PORT}/bindings/compute2/activate`, TOKEN, undefined, {
    'X-OpenStack-Request-Id': REQUEST_ID,
  }),
]

export const RESPONSES: readonly Uint8Array[] = [
  serverReply({ id: SERVER, status: 'ACTIVE', host: 'compute1', taskState: null }),
  tokenV3('admin', TOKEN, REQUEST_ID),
  httpResponse(200, { untilClose: true, headers: { 'Content-Length': '4321' } }),
  httpResponse(202, { headers: { 'X-Compute-Request-Id': REQUEST_ID } }),
  httpResponse(500, {
    chunks: [5, 7],
    trailers: { Server: 'x' },
    body: { NeutronError: { message: 'Race.' } },
  }),
]
