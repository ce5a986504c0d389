// Messages of libvirt RPC, for generators that run without a build.
import { join, text, u32 } from './bytes.mjs'

const PROGRAM = 0x20008086

export function call(procedure, serial, ...args) {
  return message(procedure, 0, serial, join(...args))
}

export function reply(procedure, serial, ...results) {
  return message(procedure, 1, serial, join(...results))
}

/** @param size what the length word says */
export function message(procedure, type, serial, body, size = 28 + body.length) {
  return join(...[size, PROGRAM, 1, procedure, type, serial, 0].map(u32), body)
}

export function string(value) {
  return opaque(text(value))
}

export function opaque(bytes) {
  return join(u32(bytes.length), bytes, new Uint8Array(-bytes.length & 3))
}

export function cookie({ name, uuid } = GUEST) {
  return text(
    `<qemu-migration><name>${name}</name><uuid>${uuid}</uuid><hostname>host</hostname><hostuuid>00000000-0000-4000-8000-000000000002</hostuuid></qemu-migration>\0`,
  )
}

export function domain({ name, uuid } = GUEST) {
  return `<domain type='kvm'><name>${name}</name><uuid>${uuid}</uuid><memory unit='KiB'>4194304</memory></domain>`
}

const GUEST = { name: 'vm1', uuid: '00000000-0000-4000-8000-000000000001' }
