import { describe, expect, it } from 'vitest'
import {
  looksLikeMultifd,
  looksLikeQemuMigration,
  looksLikeRamRecords,
} from '../../../src/protocols/qemu-migration/signature.ts'
import { hex } from '../../support/qemu-cuts.ts'
import { ByteWriter, RamRecords } from '../../support/qemu-stream.ts'

describe('looksLikeQemuMigration', () => {
  const check = (text: string) => {
    const bytes = hex(`ff ${text} ff`)
    return looksLikeQemuMigration(bytes, 1, bytes.length - 1)
  }

  it('takes "QEVM" and version 2 or 3', () => {
    expect(check('51 45 56 4d 00 00 00 03')).toBe(true)
    expect(check('51 45 56 4d 00 00 00 02 07')).toBe(true)
    expect(check('51 45 56 4d 00 00 00 04')).toBe(false)
    expect(check('51 45 56 4d 00 00 00 01')).toBe(false)
    expect(check('51 45 56 4e')).toBe(false)
  })

  it('asks for more while it may still be one', () => {
    expect(check('')).toBe('more')
    expect(check('51 45')).toBe('more')
    expect(check('51 45 56 4d 00 00 00')).toBe('more')
    expect(check('51 46')).toBe(false)
  })
})

describe('looksLikeMultifd', () => {
  it('takes magic and version 1', () => {
    expect(looksLikeMultifd(hex('11 22 33 44 00 00 00 01'), 0, 8)).toBe(true)
    expect(looksLikeMultifd(hex('11 22 33 44 00 00 00 01'), 0, 7)).toBe('more')
    expect(looksLikeMultifd(hex('11 22 33 44 00 00 00 02'), 0, 8)).toBe(false)
    expect(looksLikeMultifd(hex('16 03 01'), 0, 3)).toBe(false)
  })
})

describe('looksLikeRamRecords', () => {
  const check = (write: (ram: RamRecords) => void, before = 0) => {
    const out = new ByteWriter().fill(0x9c, before)
    write(new RamRecords(out))
    return looksLikeRamRecords(out.bytes(), 0, out.length)
  }

  it('takes four records in a row, anywhere in the bytes', () => {
    for (const before of [0, 1, 500]) {
      expect(check((ram) => ram.zero('pc.ram', 0).zero('pc.ram', 4096).zero('pc.ram', 8192), before)).toBe(
        false,
      )
      expect(
        check(
          (ram) => ram.zero('pc.ram', 0).zero('pc.ram', 4096).page('pc.ram', 8192).page('pc.ram', 0x3000),
          before,
        ),
      ).toBe(true)
    }
  })

  it('does not take what a capture holds besides', () => {
    const bytes = new Uint8Array(4096)
    expect(looksLikeRamRecords(bytes, 0, bytes.length)).toBe(false)
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 11
    expect(looksLikeRamRecords(bytes, 0, bytes.length)).toBe(false)
    // EOS over and over is no chain.
    for (let i = 0; i < bytes.length; i++) bytes[i] = i % 8 === 7 ? 0x10 : 0
    expect(looksLikeRamRecords(bytes, 0, bytes.length)).toBe(false)
  })
})
