import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // By default one core is left to vitest itself, which on a small machine is half of all.
    maxWorkers: '100%',
    // Tests of the command line start dozens of processes, which share the cores with other tests.
    testTimeout: 20_000,
  },
})
