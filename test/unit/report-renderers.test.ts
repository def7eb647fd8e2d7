import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitSummary } from '../../src/action/fit-summary.js';
import { isGreen } from '../../src/model/outcome.js';
import type { RunReport } from '../../src/model/report.js';
import { annotations } from '../../src/report/annotations.js';
import { block, code, inline } from '../../src/report/markdown.js';
import { renderPlanText } from '../../src/report/plan-text.js';
import { createRedactor } from '../../src/report/redact.js';
import { writeReportFile } from '../../src/report/report-file.js';
import { reportJsonSchema, reportSchema } from '../../src/report/report-schema.js';
import { renderSummary } from '../../src/report/summary.js';
import { renderText } from '../../src/report/text.js';
import { changedWords, OUTCOME_KINDS, outcomeTitle, reportTitle } from '../../src/report/words.js';
import { deployed, dryRun, refused, rolledBack, samplePlan, samples, unchanged } from './report-samples.js';

const reports = Object.entries(samples);

/** Markdown without what stands in code blocks. */
function outsideOfBlocks(markdown: string): string {
  return markdown.replaceAll(/^(`{3,})[^]*?^\1$/gm, '');
}

describe('renderSummary', () => {
  it.each(reports)('%s: the outcome comes first, then the sentence', (_, report) => {
    const [title, , headline] = renderSummary(report).split('\n');
    expect(title).toBe(`# ${reportTitle(report)}`);
    expect(headline).toBe(`**${inline(report.headline)}**`);
  });

  it.each(reports)('%s: looks as it did', async (name, report) => {
    await expect(renderSummary(report)).toMatchFileSnapshot(`./golden/summary-${name}.md`);
  });

  it('says with every red outcome whether something is different from before, and what to do before anything else', () => {
    for (const outcome of OUTCOME_KINDS) {
      for (const changed of [true, false]) {
        const text = renderSummary({ ...rolledBack, outcome, changed });
        const said = [changedWords({ outcome, changed }), changedWords({ outcome, changed: !changed })];
        expect(said.map((words) => text.includes(words))).toEqual(isGreen(outcome) ? [false, false] : [true, false]);
        if (isGreen(outcome)) continue;
        expect(text.indexOf('## What to do next')).toBeLessThan(text.indexOf('## Live now'));
      }
    }
  });

  it('tells the outcomes apart without colours', () => {
    expect(new Set(OUTCOME_KINDS.map((kind) => outcomeTitle(kind).replaceAll(/\w/g, ''))).size).toBe(
      OUTCOME_KINDS.length,
    );
  });

  it('shows every operation with how it is undone, folded unless it is a dry run', () => {
    const folded = renderSummary(deployed);
    const operations = [...samplePlan.preparation, ...samplePlan.services.flatMap((one) => one.operations)];
    for (const { text } of operations) expect(folded).toContain(inline(text));
    expect(folded).toContain('<details>');
    expect(renderSummary(dryRun)).not.toContain('<details>');
    expect(renderSummary(dryRun)).toContain('nothing was changed');
  });

  it('shows every warning sign, the most severe first', () => {
    const severity = fc.constantFrom('high' as const, 'medium' as const, 'low' as const);
    fc.assert(
      fc.property(fc.array(severity, { minLength: 1, maxLength: 30 }), (severities) => {
        const warnings = severities.map((level, index) => ({
          sign: 'note' as const,
          severity: level,
          service: 'roma',
          message: `sign number ${index} of all`,
          at: deployed.startedAt,
          action: 'warn' as const,
        }));
        for (const text of [renderSummary({ ...deployed, warnings }), renderText({ ...deployed, warnings })]) {
          for (const { message } of warnings) expect(text).toContain(message);
        }
        const order = [...renderSummary({ ...deployed, warnings }).matchAll(/^\| (?:\*\*)?(High|Medium|Low)/gm)].map(
          ([, word = '']) => ['High', 'Medium', 'Low'].indexOf(word),
        );
        expect(order).toEqual(order.toSorted());
        expect(order).toHaveLength(warnings.length);
      }),
    );
  });

  it('ticks a box only for what was done', () => {
    const items = (['done', 'failed', 'not-asked'] as const).map((state) => ({
      text: `item ${state}`,
      state,
      detail: undefined,
    }));
    const text = renderSummary({ ...deployed, checklists: [{ title: 'List', items }] });
    expect(text.match(/^- \[x\] .*$/gm)).toEqual(['- [x] item done']);
    expect(text).toContain('- [ ] ✖ **item failed**: no');
    expect(text).toContain('- [ ] item not-asked: not done');
  });

  it('says nothing twice', () => {
    const error = { code: 'E_GATE', message: 'The disk is full', next: 'Make room', excerpt: [] } as const;
    const report: RunReport = { ...refused, headline: error.message, error, nextSteps: [error.next] };
    for (const text of [renderSummary(report), renderText(report)]) {
      expect(text.split(error.message)).toHaveLength(2);
      expect(text.split(error.next)).toHaveLength(2);
      expect(text).toContain(error.code);
    }
    const elsewhere: RunReport = { ...report, headline: 'roma: refused', nextSteps: [] };
    for (const text of [renderSummary(elsewhere), renderText(elsewhere)]) {
      expect(text).toContain(error.message);
      expect(text).toContain(error.next);
    }
  });

  it('leaves a checklist out in which nothing was done', () => {
    const nothing = { title: 'Before', items: [{ text: 'Looked', state: 'not-asked', detail: undefined }] } as const;
    const something = { title: 'After', items: [{ text: 'Looked', state: 'done', detail: undefined }] } as const;
    expect(renderSummary({ ...deployed, checklists: [nothing] })).not.toContain('## Checklists');
    expect(renderSummary({ ...deployed, checklists: [nothing, something] })).toContain('## Checklists\n\n**After**');
  });

  it('does not call the plan of another procedure its own', () => {
    const check: RunReport = { ...deployed, procedure: 'check' };
    expect(renderSummary(check)).toContain('What code-update would do now');
    expect(renderSummary(deployed)).not.toContain('would do now');
  });

  it('lets no text of others out of its place', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.constantFrom(
        '</details><h1>x',
        '```\n# x',
        '| a | b |\n|---|',
        '\n## Section',
        '[x](javascript:y)',
        '<!-- ',
        '`` ` ``',
        '\u001b[2J',
        '- [x] done',
      ),
    );
    const { traffic } = rolledBack;
    if (traffic === undefined) throw new Error('the sample has no traffic');
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 6 }), (texts) => {
        const all = texts.join('');
        const clean = renderSummary({ ...rolledBack, error: undefined, commits: [] });
        const text = renderSummary({
          ...rolledBack,
          headline: all,
          nextSteps: [all],
          commits: [`c0ffee1 ${all}`],
          pullRequests: [{ number: 1, title: all, url: 'https://example.test/1' }],
          timeline: [{ at: all, durationMs: 1, service: all, text: all, status: 'done' }],
          findings: [],
          traffic: {
            ...traffic,
            url: all,
            reason: all,
            firstFailures: [{ at: all, kind: 'reset', said: all }],
            buckets: [0, 1].map(() => ({ at: all, good: 1, failed: 0, versions: [{ version: all, answers: 1 }] })),
          },
          checklists: [{ title: all, items: [{ text: all, state: 'failed', detail: all }] }],
          error: { code: 'E_COMMAND', message: 'x', next: all, excerpt: [{ title: all, lines: texts }] },
        });
        const outside = outsideOfBlocks(text);
        expect(outside.match(/<\/?(?!details>|summary>)[a-z!][^>]*>/gi)).toBeNull();
        expect(outside.match(/<details>/g)?.length).toBe(clean.match(/<details>/g)?.length);
        expect(outside.match(/^- \[x\]/gm)).toBeNull();
        const titles = (outside.match(/^#+ .*$/gm) ?? []).map((line) => line.replace(/^#+ /, ''));
        expect(titles).toEqual([
          '↩️ Rolled back',
          'What happened',
          'What to do next',
          'Live now',
          'Warning signs',
          'Traffic',
          'Plan',
          'Timeline',
          'Targets',
          'Checklists',
          'Pull requests',
          'New commits',
          'Evidence',
        ]);
        // eslint-disable-next-line no-control-regex -- an escape character is what must not be there
        expect(text).not.toMatch(/\u001b/);
      }),
      { numRuns: 300 },
    );
  });

  it('stays within the platform limit whatever it is given', () => {
    const line = 'x'.repeat(5_000);
    const huge: RunReport = {
      ...rolledBack,
      timeline: Array.from({ length: 5_000 }, () => ({
        at: deployed.startedAt,
        durationMs: 1,
        service: 'roma',
        text: line,
        status: 'done' as const,
      })),
      warnings: Array.from({ length: 3_000 }, () => ({
        sign: 'note' as const,
        severity: 'low' as const,
        service: 'roma',
        message: line,
        at: deployed.startedAt,
        action: 'warn' as const,
      })),
      error: {
        code: 'E_COMMAND',
        message: line,
        next: line,
        excerpt: [{ title: line, lines: Array.from({ length: 10_000 }, () => line) }],
      },
    };
    const fitted = fitSummary(renderSummary(huge));
    expect(Buffer.byteLength(fitted)).toBeLessThanOrEqual(1024 * 1024);
    expect(fitted).toContain('# ↩️ Rolled back');
    expect(fitted).toContain('## What to do next');
  });
});

describe('markdown', () => {
  it('has a fence longer than any in the text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('`', 'a', ' ', '\n'), maxLength: 30 })), (lines) => {
        const [first = '', ...rest] = block(lines).split('\n');
        const fence = first.replace('text', '');
        expect(fence.length).toBeGreaterThanOrEqual(3);
        expect(rest.pop()).toBe(fence);
        for (const line of rest) expect(line.includes(fence)).toBe(false);
      }),
    );
  });
  it('keeps the last lines of a long output', () => {
    const text = block(Array.from({ length: 100 }, (_, index) => `line ${index}`));
    expect(text).toContain('(40 earlier lines left out)');
    expect(text).toContain('line 99');
    expect(text).not.toContain('line 39\n');
  });
  it('keeps a cell of a table one cell', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        for (const cell of [inline(text), code(text)])
          expect(cell.replaceAll(/\\\\/g, '').replaceAll('\\|', '')).not.toMatch(/[|\n]/);
      }),
    );
  });
});

describe('renderText', () => {
  it.each(reports)('%s: looks as it did', async (name, report) => {
    await expect(`${renderText(report)}\n`).toMatchFileSnapshot(`./golden/text-${name}.txt`);
  });
  it('shows error, excerpt and next step', () => {
    const text = renderText(rolledBack);
    expect(text).toContain('↩ rolled-back: The new release failed its smoke test');
    expect(text).toContain('Error E_VERIFICATION: smoke-test failed with exit code 1');
    expect(text).toContain('    | 500 Internal Server Error');
    expect(text).toContain('→ Look at the output below');
  });
});

describe('renderPlanText', () => {
  it('looks as it did', async () => {
    await expect(`${renderPlanText(samplePlan)}\n`).toMatchFileSnapshot('./golden/plan.txt');
  });
  it('names what stays when nothing changes', () => {
    expect(renderPlanText(unchanged.plan ?? samplePlan)).toContain('roma: unchanged, nothing to do');
  });
});

describe('annotations', () => {
  it('has one error for a red run and a warning for each sign', () => {
    expect(annotations(unchanged)).toEqual([]);
    expect(annotations(deployed).map(({ level }) => level)).toEqual(['warning']);
    expect(annotations(refused)).toEqual([
      { level: 'error', text: expect.stringMatching(/^refused: Nothing was changed[^]*E_GATE[^]*\nNext: /) as string },
    ]);
  });
});

describe('the report file', () => {
  let folder = '';
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'rr-report-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(reports)('%s: is what the schema says', async (name, report) => {
    const path = join(folder, name, 'report.json');
    await writeReportFile(path, report, createRedactor());
    const written: unknown = JSON.parse(readFileSync(path, 'utf8'));
    expect(reportSchema.strict().parse(written)).toEqual(JSON.parse(JSON.stringify(report)));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}.partial`)).toBe(false);
  });
  it('hides what is known to be a secret', async () => {
    const redactor = createRedactor();
    redactor.learn([{ name: 'DB_PASSWORD', value: 'hunter22' }]);
    const path = join(folder, 'secret.json');
    await writeReportFile(path, { ...deployed, headline: 'runs with hunter22' }, redactor);
    expect(readFileSync(path, 'utf8')).not.toContain('hunter22');
  });
  it('says what to do when it cannot be written', async () => {
    await expect(
      writeReportFile(join(folder, 'secret.json', 'x', 'report.json'), deployed, createRedactor()),
    ).rejects.toMatchObject({ code: 'E_EVIDENCE' });
  });
  it('has a schema that names every field', () => {
    const schema = reportJsonSchema() as { properties: Record<string, unknown>; required: string[] };
    expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(deployed).sort());
    expect(schema.required).toContain('outcome');
    expect(schema.required).not.toContain('error');
  });
});
