import { expect, test } from 'vitest'
import { withoutSecrets, withoutTokens } from '../../src/core/redact.ts'

const FERNET = 'gAAAAABrADSMcKDSLJwrTvSjjx8eWbBpsq64Cee_EOK61jnwW4uM=='

test.each([
  [`Could not find token: ${FERNET}.`, 'Could not find token: ***.'],
  ['Could not find token, 0123456789abcdef0123456789abcdef', 'Could not find token, ***'],
  [`token=${'A'.repeat(30)}`, 'token=***'],
  [`MIIC${'aB3+'.repeat(20)} expired`, '*** expired'],
  ['rabbit://openstack:secret@10.0.0.1:5672/', 'rabbit://openstack:***@10.0.0.1:5672/'],
  ["password='hunter2', user='x'", "password='***', user='x'"],
  ['"adminPass": "hunter2"', '"adminPass": "***"'],
  [
    'Instance 9c994cd3-50f9-4611-87a8-b9a5f15839c5 is gone',
    'Instance 9c994cd3-50f9-4611-87a8-b9a5f15839c5 is gone',
  ],
  ['reply_1807a65ac5e44356924fa5030cf68ec1', 'reply_1807a65ac5e44356924fa5030cf68ec1'],
  ['internal error: no such disk', 'internal error: no such disk'],
])('%s', (text, clean) => {
  expect(withoutSecrets(text, 1000)).toBe(clean)
})

test('a text that is cut loses the word that the cut goes through', () => {
  expect(withoutSecrets(`see ${FERNET}`, 12)).toBe('see')
  expect(withoutSecrets('one two', 7)).toBe('one two')
  expect(withoutSecrets('one two ', 7)).toBe('one')
})

test('in a path, project ids stay', () => {
  const project = 'a7f007647e67408a9b9d91ab44b1a9c6'
  expect(withoutTokens(`/v2/${project}/servers?x=${FERNET}`)).toBe(`/v2/${project}/servers?x=***`)
})
