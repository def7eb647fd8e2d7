import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fillBlock, generateAll, subfolderAction } from '../../scripts/lib/workflow-generate.mjs';
import { workflowType } from '../../scripts/lib/workflow-model.mjs';
import { fillCaller, inlineCalls, transformForAct } from '../../scripts/lib/workflow-transform.mjs';
import { ROOT } from '../support/workflow-files.js';

describe('what is generated from action.yml', () => {
  it('is what stands in the repository; `node scripts/lib/workflow-generate.mjs` writes it', async () => {
    const files = await generateAll();
    expect(files.size).toBe(10);
    for (const [path, text] of files) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(text);
  });
});

describe('subfolderAction', () => {
  it('points the programs back to the root and changes nothing else', () => {
    const root =
      "name: X\ninputs:\n  main:\n    description: a\nruns:\n  using: node24\n  main: dist/main.js\n  post: './dist/post.js'\n";
    const [, , ...lines] = subfolderAction(root).split('\n');
    expect(lines.join('\n')).toBe(
      "name: X\ninputs:\n  main:\n    description: a\nruns:\n  using: node24\n  main: ../../../dist/main.js\n  post: '../../../dist/post.js'\n",
    );
  });
});

describe('fillBlock', () => {
  it('replaces what stands between the marks, as deep as they stand', () => {
    const text = 'a:\n  # begin: x (old)\n  gone: 1\n  # end: x\nb: 2\n';
    expect(fillBlock(text, 'x', 'new: 1\n')).toMatch(/^a:\n {2}# begin: x .*\n {2}new: 1\n {2}# end: x\nb: 2\n$/);
  });
  it('says which block is missing', () => {
    expect(() => fillBlock('a: 1\n', 'x', '')).toThrow('no block "x" to fill');
  });
});

it.each([
  ['true', 'boolean'],
  ['false', 'boolean'],
  ['5', 'number'],
  ['5m', 'string'],
  [undefined, 'string'],
] as const)('an input with the default %s is a %s', (value, type) => {
  expect(workflowType({ name: 'x', description: 'x', default: value })).toBe(type);
});

describe('transformForAct', () => {
  it('rewrites the three things act does not know, and nothing else', () => {
    const text =
      '    concurrency:\n      group: a\n      queue: max\n    environment:\n      name: x\n      deployment: false\n' +
      '    steps:\n      - uses: $/.github/actions/a\n      - name: n\n        uses: $/b\n      - uses: actions/x@v1\n';
    expect(transformForAct(text, { repository: 'o/n', commit: 'abc' })).toBe(
      '    concurrency:\n      group: a\n    environment:\n      name: x\n' +
        '    steps:\n      - uses: o/n/.github/actions/a@abc\n      - name: n\n        uses: o/n/b@abc\n      - uses: actions/x@v1\n',
    );
  });
});

describe('inlineCalls', () => {
  const called = [
    'on:',
    '  workflow_call:',
    '    inputs:',
    '      runner: { type: string }',
    '      rate: { type: number, default: 20 }',
    '      text: { type: string, default: "it\'s" }',
    'jobs:',
    '  only:',
    '    if: inputs.rate > 1',
    '    runs-on: ${{ inputs.runner }}',
    '    steps:',
    '      - run: echo inputs.runner',
    '        env: { A: "${{ inputs.text }} ${{ secrets.token }}${{ secrets.none }}" }',
    '',
  ].join('\n');
  it('puts the called job in the place of the call, with what it is given', () => {
    const text = [
      'jobs:',
      '  list: { runs-on: x }',
      '  host:',
      '    needs: list',
      '    if: needs.list.outputs.a',
      '    uses: $/.github/workflows/called.yml',
      '    with: { runner: "${{ needs.list.outputs.a || 1 }}" }',
      '    secrets: { token: "${{ secrets.mine }}" }',
      '',
    ].join('\n');
    const read = (file: string): string => (file === 'called.yml' ? called : '');
    expect(parse(inlineCalls(text, read))).toEqual({
      jobs: {
        list: { 'runs-on': 'x' },
        host: {
          needs: 'list',
          if: '(needs.list.outputs.a) && (20 > 1)',
          'runs-on': '${{ (needs.list.outputs.a || 1) }}',
          steps: [{ run: 'echo inputs.runner', env: { A: "${{ 'it''s' }} ${{ (secrets.mine) }}${{ '' }}" } }],
        },
      },
    });
  });
  it('leaves every other workflow alone', () => {
    const text = 'jobs:\n  a: # why\n    steps:\n      - uses: $/.github/actions/a\n';
    expect(inlineCalls(text, () => '')).toBe(text);
  });
});

it('fillCaller replaces inputs and adds the event', () => {
  const text = 'on:\n  push:\njobs:\n  a:\n    uses: x\n    with:\n      runner: p\n';
  expect(fillCaller(text, { runner: 'q', 'dry-run': true }, 'pull_request')).toBe(
    'on:\n  push:\n  pull_request: null\njobs:\n  a:\n    uses: x\n    with:\n      runner: q\n      dry-run: true\n',
  );
});
