// Captures that were made to do harm. None may take more memory than MEMORY_MAX_MIB, or more time than its length accounts for.
import { COMPRESSED } from './compressed.mjs'
import { CONTAINERS } from './containers.mjs'
import { MIGRATIONS } from './migrations.mjs'
import { NETWORK } from './network.mjs'
import { PROTOCOLS } from './protocols.mjs'
import { SERVICES } from './services.mjs'

/** Of each kind: `write(path, count)`, a count that takes some seconds to read (`full`), and one that a test can afford (`few`). */
export const KINDS = { ...CONTAINERS, ...COMPRESSED, ...NETWORK, ...PROTOCOLS, ...SERVICES, ...MIGRATIONS }
