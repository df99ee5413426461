import { defineConfig } from 'vitest/config'

const shared = {
  pool: 'forks' as const,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  execArgv: ['--disable-warning=ExperimentalWarning'],
}

export default defineConfig({
  test: {
    allowOnly: process.env['CI'] !== 'true',
    projects: [
      {
        test: {
          ...shared,
          name: 'jejak',
          include: ['test/**/*.test.ts'],
          exclude: ['test/neo4j/**'],
          maxWorkers: 2,
        },
      },
      {
        // One server, one database: its files run one after another, after the others.
        test: {
          ...shared,
          name: 'neo4j',
          include: ['test/neo4j/**/*.test.ts'],
          globalSetup: ['test/neo4j/globalSetup.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
