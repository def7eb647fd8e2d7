import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRunner } from '../../src/action/runner.js';
import { imagesOutput, outputValues } from '../../src/report/output-values.js';
import { renderText } from '../../src/report/text.js';
import { writeOrWarn } from '../../src/run/write-or-warn.js';
import { ProcedureError } from '../../src/model/errors.js';
import { deployed, samplePlan } from './report-samples.js';

/** UTF-16, as the platform counts: 1 MB for all outputs of a job. */
const JOB_BYTES = 1_000_000;

const [firstService] = deployed.services;
const [firstWarning] = deployed.warnings;
const [firstPlan] = samplePlan.services;
if (firstService === undefined || firstWarning === undefined || firstPlan === undefined) throw new Error('no sample');

const many = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('outputs', () => {
  const huge = {
    ...deployed,
    services: many(20_000, (index) => ({ ...firstService, service: `service-${index}` })),
    warnings: many(20_000, (index) => ({ ...firstWarning, message: `sign ${index} ${'x'.repeat(200)}` })),
    plan: { ...samplePlan, services: many(5_000, (index) => ({ ...firstPlan, service: `service-${index}` })) },
  };

  it('of thousands of services and warnings fit into a job, are what they were, and say what is missing', () => {
    const values = outputValues(huge);
    const all = Object.values(values).reduce((sum, value) => sum + value.length * 2, 0);
    expect(all).toBeLessThan(JOB_BYTES);
    expect(values.outcome).toBe(deployed.outcome);
    const warnings = JSON.parse(values.warnings) as { message: string; sign: string }[];
    expect(warnings[0]).toEqual(huge.warnings[0]);
    expect(warnings.at(-1)?.message).toBe(
      `Cut: ${20_000 - warnings.length + 1} more warning signs are in the report (output report-path).`,
    );
    const plan = JSON.parse(values.plan ?? '') as { cut?: string; services: readonly unknown[] };
    expect(plan.services[0]).toEqual(JSON.parse(JSON.stringify(huge.plan.services[0])));
    expect(plan.cut).toBe('Cut: the report (output report-path) has the whole plan of 5000 services.');
    expect(values.release.split('\n').at(-1)).toMatch(/^# cut: \d+ more are in the report/);
  });

  it('of one service with an endless plan still say the procedure', () => {
    const services = [{ ...firstPlan, diff: ['x'.repeat(300_000)] }];
    const { plan = '' } = outputValues({ ...deployed, plan: { ...samplePlan, services } });
    expect(plan.length).toBeLessThan(100_000);
    expect(JSON.parse(plan)).toMatchObject({ procedure: samplePlan.procedure, services: [], cut: /./ });
  });

  it('that fit are whole', () => {
    const values = outputValues(deployed);
    expect(JSON.parse(values.warnings)).toEqual(deployed.warnings);
    expect(values.plan).toBe(JSON.stringify(deployed.plan));
    expect(imagesOutput(new Map([['a', 'b']]))).toBe('{"a":"b"}');
    expect(imagesOutput(new Map())).toBe('');
  });

  it('of images are a JSON object however many there are', () => {
    const images = new Map(
      many(5_000, (index) => [`service-${index}`, `registry.test/image@sha256:${'a'.repeat(64)}`]),
    );
    const value = imagesOutput(images);
    expect(value.length).toBeLessThan(25_001);
    expect(Object.keys(JSON.parse(value) as object).length).toBeGreaterThan(100);
  });

  it('in the log are cut with a note', () => {
    const text = renderText(huge);
    expect(text.split('\n').length).toBeLessThan(1_000);
    expect(text).toContain('(cut: the report has 19800 more lines)');
  });
});

describe('writeOrWarn', () => {
  const warned: string[] = [];
  const progress = { warning: (line: string) => warned.push(line) };
  beforeEach(() => (warned.length = 0));

  it('warns with the reason, and says nothing when it was written', async () => {
    expect(await writeOrWarn(progress, 'The report', () => undefined)).toBe(true);
    expect(warned).toEqual([]);
    const full = Object.assign(new Error("ENOSPC: no space left on device, write '/x'"), { code: 'ENOSPC' });
    expect(await writeOrWarn(progress, 'The report', () => Promise.reject(full))).toBe(false);
    const wrapped = new ProcedureError('E_EVIDENCE', 'no', { next: 'x', cause: full });
    await writeOrWarn(progress, 'The report', () => Promise.reject(wrapped));
    const line = 'The report could not be written (ENOSPC: no space left on device). The outcome does not change.';
    expect(warned).toEqual([line, line]);
  });

  it('passes on that the run was cancelled', async () => {
    const signal = AbortSignal.abort();
    const ended = writeOrWarn(progress, 'Evidence', () => Promise.reject(new Error('ended')), signal);
    await expect(ended).rejects.toThrow('ended');
    expect(warned).toEqual([]);
  });
});

describe('the runner', () => {
  let output = '';
  beforeEach(() => {
    output = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      output += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  it('shows the beginning of a huge annotation and of a huge line, and says that it was cut', () => {
    const runner = createRunner((text) => text);
    runner.warning('w'.repeat(1_000_000));
    runner.info('i'.repeat(1_000_000));
    const [annotation = '', line = ''] = output.split('\n');
    expect(annotation.length).toBeLessThan(4_096);
    expect(annotation).toMatch(/^::warning::w+ … \(cut, \d+ characters\)$/);
    expect(line.length).toBeLessThan(9_000);
    expect(line).toMatch(/^i+ … \(cut, 1000000 characters\)$/);
  });

  it('redacts before it cuts', () => {
    const secret = 'correct-horse-battery';
    const runner = createRunner((text) => text.replaceAll(secret, '***'));
    for (let at = 7_970; at < 8_010; at += 1) runner.info('i'.repeat(at) + secret);
    expect(output).not.toMatch(/corr/);
  });
});
