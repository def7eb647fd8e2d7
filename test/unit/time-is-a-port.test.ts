import path from 'node:path';
import { ESLint, Linter } from 'eslint';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');
const RULES = ['no-restricted-globals', 'no-restricted-imports', 'no-restricted-properties', 'no-restricted-syntax'];

/** @returns the rules on time that hold for a file, from the configuration that `npm run lint` uses */
async function rulesFor(file: string): Promise<Linter.RulesRecord> {
  const config = (await new ESLint({ cwd: ROOT }).calculateConfigForFile(path.join(ROOT, file))) as Linter.Config;
  return Object.fromEntries(RULES.flatMap((rule) => (config.rules?.[rule] ? [[rule, config.rules[rule]]] : [])));
}

function messagesOf(code: string, rules: Linter.RulesRecord): readonly string[] {
  return new Linter().verify(code, [{ rules }]).map(({ message }) => message);
}

const RAW: readonly string[] = [
  'const at = Date.now();',
  'const { now } = Date;',
  'const at = new Date();',
  'const at = Date();',
  'const began = performance.now();',
  'const began = globalThis.performance.now();',
  'const began = process.hrtime();',
  'setTimeout(() => {}, 5);',
  'globalThis.setTimeout(() => {}, 5);',
  'setInterval(() => {}, 5);',
  "import { setTimeout as sleep } from 'node:timers/promises';",
  "import { setTimeout } from 'timers';",
  "import { performance } from 'node:perf_hooks';",
  "const { setTimeout: sleep } = await import('node:timers/promises');",
  'const deadline = AbortSignal.timeout(5);',
  'const deadline = AbortSignal.any([signal, AbortSignal.timeout(5)]);',
];

describe('time above the adapters', () => {
  let rules: Linter.RulesRecord;
  beforeAll(async () => {
    rules = await rulesFor('src/steps/roll-out.ts');
  });

  it.each(RAW)('is not read or waited for by `%s`', (code) => {
    const messages = messagesOf(code, rules);
    expect(messages).not.toEqual([]);
    for (const message of messages) expect(message).toContain('Clock');
  });

  it.each([
    'const at = clock.now();',
    'const day = new Date(at).toISOString();',
    'const deadline = clock.deadline(5, signal);',
    'await clock.sleep(5, signal);',
    "const at = Date.parse('2026-11-24T12:00:00Z');",
  ])('may be had by `%s`', (code) => {
    expect(messagesOf(code, rules)).toEqual([]);
  });
});

describe('the rule', () => {
  it.each([
    'src/wiring.ts',
    'src/action/inputs.ts',
    'src/model/own-names.ts',
    'src/procedures/slo-report.ts',
    'src/report/text.ts',
    'src/run/recorder.ts',
    'src/shell/cancel.ts',
    'src/steps/watch/watch.ts',
    'src/strategies/decide.ts',
  ])('holds for %s', async (file) => {
    expect(Object.keys(await rulesFor(file))).toEqual(RULES);
  });

  it.each(['src/host/clock.ts', 'src/engine/client.ts', 'src/action/terminal.ts', 'test/unit/clock.test.ts'])(
    'leaves %s alone',
    async (file) => {
      expect(Object.keys(await rulesFor(file))).toEqual([]);
    },
  );
});
