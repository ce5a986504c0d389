import { expect, test } from 'vitest'
import { errorMessage, publicPath, routeOf, serviceOf } from '../../../src/protocols/http/openstack.ts'
import { httpFromClient, looksLikeHttp } from '../../../src/protocols/http/signature.ts'
import { PORT, SERVER } from './sample.ts'
import { bytes } from './subject.ts'

const id = SERVER

test.each([
  ['GET', '/', 'keystone.discovery'],
  ['GET', '/v3', 'keystone.discovery'],
  ['GET', '/v3/', 'keystone.discovery'],
  ['GET', '/v2.0/', 'keystone.discovery'],
  ['GET', '/identity', 'keystone.discovery'],
  ['GET', '/identity/v3', 'keystone.discovery'],
  ['GET', 'http://controller:5000/v3', 'keystone.discovery'],
  ['POST', '/v3', 'other'],
  ['GET', '/v2.1/', 'other'],
  ['POST', '/v3/auth/tokens', 'keystone.token'],
  ['POST', '/identity/v3/auth/tokens?nocatalog', 'keystone.token'],
  ['POST', '/v2.0/tokens', 'keystone.token'],
  ['GET', '/v3/auth/tokens', 'other'],
  ['POST', '/v3/auth/tokens/OS-PKI', 'other'],
  ['GET', `/v2.1/servers/${id}`, 'nova.server'],
  ['GET', `/v2/a7f007647e67408a9b9d91ab44b1a9c6/servers/${id}`, 'nova.server'],
  ['GET', `/compute/v2.1/servers/${id}`, 'nova.server'],
  ['GET', '/v2.1/servers/idle1', 'nova.server'],
  ['GET', '/v2.1/servers/detail?name=idle1', 'other'],
  ['GET', '/v2.1/servers?name=idle1', 'other'],
  ['DELETE', `/v2.1/servers/${id}`, 'other'],
  ['POST', `/v2.1/servers/${id}/action`, 'nova.action'],
  ['GET', `/v2.1/servers/${id}/migrations`, 'nova.migrations'],
  ['GET', '/v2.1/os-migrations?instance_uuid=x', 'nova.migrations'],
  ['POST', `/v2.0/ports/${PORT}/bindings`, 'neutron.binding'],
  ['PUT', `/v2.0/ports/${PORT}/bindings/compute2/activate`, 'neutron.binding'],
  ['DELETE', `/v2.0/ports/${PORT}/bindings/compute2`, 'neutron.binding'],
  ['GET', `/v2.0/ports/${PORT}/bindings/compute2`, 'other'],
  ['PUT', `/v2.0/ports/${PORT}.json`, 'neutron.binding'],
  ['GET', '/allocation_candidates?resources=VCPU', 'other'],
  ['GET', '/resource_providers/x/allocations', 'other'],
  ['GET', '/index.html', 'other'],
])('%s %s is %s', (method, target, kind) => {
  expect(routeOf(method, target).kind).toBe(kind)
})

test('migrations: what is done with them', () => {
  const verb = (method: string, path: string, body?: object) =>
    serviceOf(routeOf(method, `/v2.1/servers/${id}/migrations${path}`), body)
  expect(verb('GET', '')).toMatchObject({ verb: 'list', serverId: id, migrationId: null })
  expect(verb('GET', '/7')).toMatchObject({ verb: 'show', migrationId: '7' })
  expect(verb('DELETE', '/7')).toMatchObject({ verb: 'abort', migrationId: '7' })
  expect(verb('POST', '/7/action', { force_complete: null })).toMatchObject({ verb: 'force-complete' })
  expect(verb('POST', '/7/action', {})).toMatchObject({ verb: 'other' })
})

test('bindings: the host is in the path or in the body', () => {
  const create = routeOf('POST', `/v2.0/ports/${PORT}/bindings`)
  expect(serviceOf(create, { binding: { host: 'compute2' } })).toMatchObject({
    verb: 'create',
    host: 'compute2',
  })
  const remove = routeOf('DELETE', `/v2.0/ports/${PORT}/bindings/compute%2D2`)
  expect(serviceOf(remove, undefined)).toMatchObject({ verb: 'delete', portId: PORT, host: 'compute-2' })
  const update = routeOf('PUT', `/v2.0/ports/${PORT}`)
  expect(serviceOf(update, { port: { 'binding:host_id': 'compute2' } })).toMatchObject({ verb: 'update' })
  expect(serviceOf(update, { port: { name: 'x' } })).toEqual({ kind: 'other' })
})

test('actions: Juno has booleans', () => {
  const route = routeOf('POST', `/v2/t/servers/${id}/action`)
  const body = { 'os-migrateLive': { host: 'c2', block_migration: false, disk_over_commit: false } }
  expect(serviceOf(route, body)).toEqual({
    kind: 'nova.action',
    serverId: id,
    action: 'os-migrateLive',
    host: 'c2',
    blockMigration: false,
  })
  expect(serviceOf(route, undefined)).toMatchObject({ action: null, host: null })
  expect(serviceOf(route, [1])).toMatchObject({ action: null })
})

test.each([
  [{ badRequest: { code: 400, message: 'No.' } }, 'No.'],
  [{ error: { message: 'Unauthorized', code: 401 } }, 'Unauthorized'],
  [{ NeutronError: { type: 'X', message: 'Taken.' } }, 'Taken.'],
  [{ NeutronError: 'Old.' }, 'Old.'],
  [{ errors: [{ status: 409, title: 'Conflict', detail: 'Retry.' }] }, 'Retry.'],
  [{ message: 'Gone.', code: '404 Not Found' }, 'Gone.'],
  [{ a: 1 }, null],
  ['text', null],
  [undefined, null],
])('the message of %j', (body, message) => {
  expect(errorMessage(body)).toBe(message)
})

test('error messages are bounded', () => {
  expect(errorMessage({ message: 'word '.repeat(1000) })?.length).toBeLessThanOrEqual(1000)
})

test('a path keeps its query, without credentials', () => {
  expect(publicPath('/v2.1/servers?name=a&limit=1')).toBe('/v2.1/servers?name=a&limit=1')
  expect(publicPath('http://admin:secret@host/v3')).toBe('http://host/v3')
  expect(publicPath('/v2.0/tokens/abcdef/endpoints')).toBe('/v2.0/tokens/***/endpoints')
  expect(publicPath('/x?a=1&auth_token=abc&b=2')).toBe('/x?a=1&auth_token=***&b=2')
})

test.each([
  ['GET / HTTP/1.1', true],
  ['DELETE /', true],
  ['DELETE', 'more'],
  ['DELETE ', 'more'],
  ['H', 'more'],
  ['HE', 'more'],
  ['HEAD /', true],
  ['HTTP/1.', 'more'],
  ['HTTP/1.1', true],
  ['HTTP/2', false],
  ['GET \u0000', false],
  ['GETX', false],
  ['PRI * HTTP/2.0', false],
  ['AMQP', false],
  ['', 'more'],
])('%j looks like HTTP: %s', (text, answer) => {
  const all = bytes(`..${text}`)
  expect(looksLikeHttp(all, 2, all.length)).toBe(answer)
})

test('requests come from the client', () => {
  expect(httpFromClient(bytes('HEAD / HTTP/1.1'), 0)).toBe(true)
  expect(httpFromClient(bytes('HTTP/1.1 200 OK'), 0)).toBe(false)
})
