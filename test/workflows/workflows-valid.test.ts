import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  NOT_KNOWN_YET,
  isKnown,
  runActionlint,
  runParser,
  runZizmor,
  type Finding,
} from '../../scripts/lib/workflow-findings.mjs';
import { EXAMPLE_WORKFLOWS, OWN_WORKFLOWS, ROOT, readWorkflows } from '../support/workflow-files.js';

/** GitHub's own parser, actionlint and zizmor over every workflow file and the sub-folder action. */
const files = [...readWorkflows(OWN_WORKFLOWS), ...readWorkflows(EXAMPLE_WORKFLOWS)];
const paths = files.map(({ path }) => path);
const actions = [
  'action.yml',
  '.github/actions/rolling-restart/action.yml',
  '.github/actions/deploy-chain/action.yml',
  '.github/actions/record-release/action.yml',
].map((path) => join(ROOT, path));
const folder = mkdtempSync(join(tmpdir(), 'rr-workflows-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of deploy.yml with a mistake in it. */
function broken(name: string, from: string, to: string): string {
  const text = files.find(({ name: file }) => file === 'deploy.yml')?.text ?? '';
  expect(text).toContain(from);
  const path = join(folder, `${name}.yml`);
  writeFileSync(path, text.replace(from, to));
  return path;
}

/** The first use of a tool installs it. */
const INSTALL_MS = 600_000;

describe('the official parser', () => {
  beforeAll(() => runParser([]), INSTALL_MS);

  it('finds nothing', async () => {
    expect(await runParser([...paths, ...actions])).toEqual([]);
  });

  it.each([
    [
      'an input that the action does not have',
      'service: ${{ inputs.service }}',
      'servic: 1',
      /Invalid action input 'servic'/,
    ],
    ['a queue that does not exist', 'queue: max', 'queue: most', /Unexpected value 'most'/],
    ['a key of environment that does not exist', 'deployment: false', 'deploy: false', /Unexpected value 'deploy'/],
    [
      'an input that was not declared',
      'inputs.timeout-minutes }}',
      'inputs.timeout }}',
      /Context access might be invalid/,
    ],
    [
      'an action that is not there',
      '$/.github/actions/rolling-restart',
      '$/.github/actions/none',
      /Unable to resolve action/,
    ],
  ])('would find %s', async (what, from, to, message) => {
    const findings = await runParser([broken(what.replaceAll(' ', '-'), from, to)]);
    expect(findings.map((finding) => finding.message)).toContainEqual(expect.stringMatching(message));
  });

  it('would find a chain that passes an unknown input or secret on', async () => {
    const chain = files.find(({ name }) => name === 'deploy-chain.yml')?.text ?? '';
    const path = join(folder, 'chain.yml');
    const wrong = chain
      .replace('      service: ${{ inputs.service }}', '      servic: 1')
      .replace('      smtp-url: ${{ secrets.smtp-url }}', '      smtp: ${{ secrets.smtp-url }}');
    writeFileSync(path, wrong);
    const messages = (await runParser([path])).map((finding) => finding.message);
    expect(messages).toContain('Invalid input, servic is not defined in the referenced workflow.');
    expect(messages).toContainEqual(expect.stringMatching(/smtp is not defined/));
  });

  it('would find a caller that passes an unknown input', async () => {
    const caller = files.find(({ name, path }) => name === 'deploy.yml' && path.includes('examples'))?.text ?? '';
    const path = join(folder, 'caller.yml');
    writeFileSync(path, caller.replace('      runner: production', '      runnner: production'));
    const messages = (await runParser([path])).map((finding) => finding.message);
    expect(messages).toContain('Invalid input, runnner is not defined in the referenced workflow.');
    expect(messages).toContain('Input runner is required, but not provided while calling.');
  });
});

describe('actionlint and zizmor', () => {
  let findings: Finding[] = [];
  beforeAll(async () => {
    findings = [...(await runActionlint(paths)), ...(await runZizmor([...paths, ...actions]))];
  }, INSTALL_MS);

  it('find nothing but what they do not know yet', () => {
    expect(findings.filter((finding) => !isKnown(finding))).toEqual([]);
  });

  it.each(NOT_KNOWN_YET.map((known) => [known.message.source, known] as const))(
    'still need the exception %s',
    (_, known) => {
      expect(findings.some(({ tool, message }) => tool === known.tool && known.message.test(message))).toBe(true);
    },
  );

  it('would find an expression in a script, an action without a pin and too many permissions', async () => {
    const injected = broken('injected', '    steps:\n', '    steps:\n      - run: echo ${{ github.head_ref }}\n');
    const unpinned = broken('unpinned', '    steps:\n', '    steps:\n      - uses: actions/cache@v4\n');
    const generous = broken('generous', 'permissions: {}', 'permissions: write-all');
    const messages = (await runZizmor([injected, unpinned, generous])).map(({ message }) => message.split(':')[0]);
    expect(messages).toEqual(expect.arrayContaining(['template-injection', 'unpinned-uses', 'excessive-permissions']));
    const wrong = broken('wrong', 'runs-on: ${{', 'runs-onn: ${{');
    expect((await runActionlint([wrong])).filter((finding) => !isKnown(finding))).not.toEqual([]);
  });
});
