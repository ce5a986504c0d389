import { describe, expect, test } from 'vitest'
import { run } from './run.ts'

const SOURCE = 'fixtures/openstack-zed/idle.pcap.gz'
const CONTROLLER = 'fixtures/openstack-zed/idle.controller.pcap.gz'

describe('several capture points', () => {
  test('are numbered, and each packet says where it is', async () => {
    const { status, stdout } = await run(['--merge', SOURCE, CONTROLLER])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^1: fixtures.*\n2: fixtures.*clock .* ± /)
    expect(stdout).not.toContain('-0 µs')
    expect(stdout).toMatch(/Authentication .* 1:119 … 2:35/)
  })

  test('one that cannot be read is named', async () => {
    const { status, stderr } = await run(['--merge', SOURCE, 'LICENSE'])
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^mig-phases: LICENSE is not a packet capture/),
    ])
  })

  test('an offset belongs to the file that it names, and captures may follow it', async () => {
    const offset = `${CONTROLLER}=0.25`
    const { status, stdout } = await run([
      '--merge',
      '--clock-offset',
      offset,
      SOURCE,
      CONTROLLER,
      '-f',
      'json',
    ])
    expect(status).toBe(0)
    expect(JSON.parse(stdout).captures[1].clock_offset_s).toBe(0.25)
  })

  test.each([
    [['--clock-offset', `${SOURCE}=1`, SOURCE], 'goes with --merge'],
    [['--merge', '--clock-offset', 'other=1', SOURCE], 'no capture given'],
    [['--merge', '--clock-offset', `${SOURCE}=soon`, SOURCE], 'FILE=SECONDS'],
  ])('wrong usage: %j', async (args, says) => {
    const { status, stderr } = await run(args)
    expect([status, stderr]).toEqual([2, expect.stringContaining(says)])
  })
})
