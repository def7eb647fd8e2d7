/** A repository that is a copy of this one's working tree, and its own workflows carried out by act, as GitHub would do. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureNode24 } from '../../scripts/lib/node24.mjs';
import { layAttest, laySetupNode, pinnedReference, transformForAct } from '../../scripts/lib/workflow-transform.mjs';
import { runAct, type ActResult } from './act.js';
import { ROOT } from './workflow-files.js';

export interface OwnRepository {
  readonly dir: string;
  git(...args: string[]): string;
  /** Changes files, by path, and commits. @returns the commit */
  commit(files: Readonly<Record<string, (text: string) => string>>): string;
  /** Carries out a workflow of the branch that is checked out, as a person that fills its form in. */
  run(
    workflow: string,
    inputs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>>,
  ): Promise<ActResult & { readonly attested: string }>;
  cleanup(): void;
}

/** Its branch is `main`. No packages are installed in it, as in a fresh checkout. */
export function copyOwnRepository(): OwnRepository {
  const root = mkdtempSync(join(tmpdir(), 'rr-own-'));
  const dir = join(root, 'repository');
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=Test', '-c', 'user.email=test@example.invalid', ...args], {
      encoding: 'utf8',
    }).trim();
  copyWorkingTree(dir);
  git('init', '--quiet', '--initial-branch', 'main');
  const commit: OwnRepository['commit'] = (files) => {
    for (const [path, change] of Object.entries(files)) {
      const file = join(dir, path);
      writeFileSync(file, change(readFileSync(file, 'utf8')));
    }
    git('add', '--all');
    git('commit', '--quiet', '--allow-empty', '--message', 'A commit');
    return git('rev-parse', 'HEAD');
  };
  commit({});
  let runs = 0;
  return {
    dir,
    git,
    commit,
    async run(name, inputs, env) {
      const folder = join(root, `run-${++runs}`);
      const [setupNode, attest, workflow] = [join(folder, 'setup-node'), join(folder, 'attest'), join(folder, name)];
      laySetupNode(setupNode);
      layAttest(attest, folder);
      writeFileSync(workflow, transformForAct(readFileSync(join(dir, '.github', 'workflows', name), 'utf8')));
      const event = join(folder, 'event.json');
      const ref = `refs/heads/${git('branch', '--show-current')}`;
      writeFileSync(event, JSON.stringify({ ref, inputs, repository: { private: false } }));
      const args = [
        ...['workflow_dispatch', '--json', '--directory', dir, '--workflows', workflow, '--eventpath', event],
        ...['--platform', 'ubuntu-24.04=-self-hosted', '--action-cache-path', join(folder, 'cache')],
        ...['--local-repository', `${pinnedReference(name, 'actions/setup-node')}=${setupNode}`],
        ...['--local-repository', `${pinnedReference(name, 'actions/attest-build-provenance')}=${attest}`],
        ...['--secret', 'GITHUB_TOKEN=token-of-the-harness'],
        ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
      ];
      const node = process.env['ROLLING_RESTART_TEST_NODE24'] ?? (await ensureNode24());
      const result = await runAct(args, { path: dirname(node) });
      const attested = join(folder, 'attestation', 'subjects');
      return { ...result, attested: existsSync(attested) ? readFileSync(attested, 'utf8') : '' };
    },
    cleanup: () => rmSync(root, { recursive: true, force: true }),
  };
}

function copyWorkingTree(target: string): void {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64e6 }).split('\0');
  for (const file of files) {
    const [from, to] = [join(ROOT, file), join(target, file)];
    if (file === '' || !existsSync(from)) continue;
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
  }
}
