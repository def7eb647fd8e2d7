import { defineConfig } from 'vitest/config';

/**
 * Unit tests run in parallel; everything that touches the engine runs a file at a time on few cores, because the
 * engine and the two cores it is promised are shared.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', sequence: { groupOrder: 0 }, include: ['test/unit/**/*.test.ts'], testTimeout: 10_000 } },
      {
        test: {
          name: 'engine',
          sequence: { groupOrder: 1 },
          include: ['test/engine/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        // Every request is counted here: two cores have the load, the service, and nobody else.
        test: {
          name: 'traffic',
          sequence: { groupOrder: 2 },
          include: ['test/traffic/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
        },
      },
      {
        test: {
          name: 'matrix',
          sequence: { groupOrder: 3 },
          include: ['test/matrix/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
        },
      },
      {
        test: {
          name: 'workflows',
          sequence: { groupOrder: 4 },
          include: ['test/workflows/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
