import { expect, it } from 'vitest'
import { parseMigrationUri } from '../../src/phases/uri.ts'

it.each([
  ['tcp:compute2:49152', 'compute2', 49152],
  ['tcp://10.0.0.2:49152', '10.0.0.2', 49152],
  ['tcp:10.0.0.2:33333', '10.0.0.2', 33333],
  ['tcp:[fd77::12]:49152', 'fd77::12', 49152],
  ['tcp://[fd77::12]:49152/', 'fd77::12', 49152],
  ['rdma://host.example:49153', 'host.example', 49153],
])('reads %s', (uri, host, port) => {
  expect(parseMigrationUri(uri)).toEqual({ host, port })
})

it.each([
  'tcp:host',
  'tcp://host',
  'unix:/tmp/socket',
  '',
  'tcp:host:0',
  'tcp:host:70000',
  'x'.repeat(100_000),
])('finds no port in %.20s', (uri) => {
  expect(parseMigrationUri(uri)).toBeNull()
})
