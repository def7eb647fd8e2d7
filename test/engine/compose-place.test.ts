import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { createCompose } from '../../src/engine/compose.js';
import type { ComposePlace, ComposeTarget } from '../../src/model/ports/engine.js';
import type { Run } from '../../src/run/run.js';
import { createSource } from '../../src/source/git.js';
import { asReached } from '../../src/steps/open-project.js';
import type { OpenProject } from '../../src/steps/session.js';
import { renderWanted } from '../../src/steps/wanted.js';
import { environment } from '../support/compose-files.js';

/** Our rendering beside what plain Compose prints in the same folder, with the same arguments and variables. */
const run = promisify(execFile);
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const WEB = `services:
  web:
    image: \${IMAGE:-none}
    env_file: [{ path: web.env, required: false }]
    environment: { FROM: "\${FROM:-nowhere}" }
    volumes: ["./data:/data"]
  tool: { image: none, profiles: [tools] }
  other: { image: none, profiles: [others] }
`;
const OVERRIDE = 'services: { web: { environment: { OVER: "yes" } } }\n';

interface Situation {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  /** Folder that Compose is started in. */
  readonly from?: string;
  readonly variables?: (root: string) => Readonly<Record<string, string>>;
  readonly composeFiles?: readonly string[];
  readonly envFiles?: readonly string[];
  readonly projectName?: string;
  /** Where the project is, below the root. */
  readonly place: Partial<Omit<ComposePlace, 'files'>> & { readonly files: readonly string[] };
}

const SITUATIONS: readonly Situation[] = [
  {
    title: 'the default file',
    files: { 'compose.yaml': WEB, '.env': 'FROM=root\n', 'web.env': 'MARK=root\n' },
    place: { directory: '.', files: ['compose.yaml'], byDefault: true },
  },
  {
    title: 'the second default name, with an override',
    files: { 'docker-compose.yml': WEB, 'docker-compose.override.yml': OVERRIDE, 'compose.override.yaml': OVERRIDE },
    place: { directory: '.', files: ['docker-compose.yml', 'compose.override.yaml'], byDefault: true },
  },
  {
    title: 'a file in a subfolder, with an .env in both folders',
    files: {
      'deploy/compose.yml': WEB,
      'deploy/.env': 'FROM=deploy\nCOMPOSE_PROJECT_NAME=named-in-deploy\n',
      'deploy/web.env': 'MARK=deploy\n',
      '.env': 'FROM=root\n',
    },
    composeFiles: ['deploy/compose.yml'],
    place: { directory: 'deploy', files: ['deploy/compose.yml'], byDefault: false },
  },
  {
    title: 'files in two subfolders: the first one counts',
    files: {
      'deploy/compose.yml': WEB,
      'more/over.yml': OVERRIDE,
      'deploy/web.env': 'MARK=deploy\n',
      'more/.env': 'FROM=x\n',
    },
    composeFiles: ['deploy/compose.yml', 'more/over.yml'],
    place: { directory: 'deploy', files: ['deploy/compose.yml', 'more/over.yml'] },
  },
  {
    title: 'a file in a folder beside',
    files: { 'beside/compose.yml': WEB, 'here/.env': 'FROM=here\n', 'beside/.env': 'FROM=beside\n' },
    from: 'here',
    composeFiles: ['../beside/compose.yml'],
    place: { directory: 'beside', files: ['beside/compose.yml'] },
  },
  {
    title: 'COMPOSE_FILE of the environment',
    files: {
      'deploy/compose.yml': WEB,
      'deploy/over.yml': OVERRIDE,
      'compose.yaml': OVERRIDE,
      'deploy/.env': 'FROM=deploy\n',
    },
    variables: () => ({ COMPOSE_FILE: 'deploy/compose.yml:deploy/over.yml' }),
    place: { directory: 'deploy', files: ['deploy/compose.yml', 'deploy/over.yml'], byDefault: false },
  },
  {
    title: 'COMPOSE_FILE of the environment, absolute, with a separator of its own',
    files: { 'deploy/compose.yml': WEB, 'deploy/over.yml': OVERRIDE, 'deploy/web.env': 'MARK=deploy\n' },
    variables: (root) => ({
      COMPOSE_FILE: `${root}/deploy/compose.yml;${root}/deploy/over.yml`,
      COMPOSE_PATH_SEPARATOR: ';',
    }),
    place: { directory: 'deploy', files: ['deploy/compose.yml', 'deploy/over.yml'] },
  },
  {
    title: 'COMPOSE_FILE of .env',
    files: {
      'deploy/compose.yml': WEB,
      '.env': 'COMPOSE_FILE="deploy/compose.yml"\nFROM=root\n',
      'deploy/.env': 'FROM=deploy\n',
    },
    place: { directory: 'deploy', files: ['deploy/compose.yml'], byDefault: false },
  },
  {
    title: 'COMPOSE_FILE that .env only mentions',
    files: { 'compose.yaml': WEB, '.env': '# COMPOSE_FILE=deploy/compose.yml\nFROM=root\n' },
    place: { directory: '.', files: ['compose.yaml'], byDefault: true },
  },
  {
    title: 'files that are named before COMPOSE_FILE',
    files: { 'a.yml': WEB, 'deploy/b.yml': OVERRIDE },
    variables: () => ({ COMPOSE_FILE: 'deploy/b.yml' }),
    composeFiles: ['a.yml'],
    place: { directory: '.', files: ['a.yml'] },
  },
  {
    title: 'a compose file in a parent directory',
    files: { 'compose.yml': WEB, '.env': 'FROM=root\n', 'web.env': 'MARK=root\n', 'sub/deeper/.env': 'FROM=sub\n' },
    from: 'sub/deeper',
    place: { directory: '.', files: ['compose.yml'], byDefault: true },
  },
  {
    title: 'COMPOSE_PROFILES of the environment',
    files: { 'compose.yaml': WEB, '.env': 'COMPOSE_PROFILES=others\n' },
    variables: () => ({ COMPOSE_PROFILES: 'tools' }),
    place: { directory: '.', files: ['compose.yaml'], profiles: ['tools'] },
  },
  {
    title: 'COMPOSE_PROFILES of .env',
    files: { 'compose.yaml': WEB, '.env': 'COMPOSE_PROFILES=tools,others\n' },
    place: { directory: '.', files: ['compose.yaml'], profiles: ['tools', 'others'] },
  },
  {
    title: 'COMPOSE_PROFILES of the .env beside a file in a subfolder',
    files: { 'deploy/compose.yaml': WEB, 'deploy/.env': 'COMPOSE_PROFILES=tools\n' },
    composeFiles: ['deploy/compose.yaml'],
    place: { directory: 'deploy', files: ['deploy/compose.yaml'], profiles: ['tools'] },
  },
  {
    title: 'COMPOSE_PROJECT_NAME of the environment',
    files: { 'compose.yaml': WEB, '.env': 'COMPOSE_PROJECT_NAME=of-the-file\n' },
    variables: () => ({ COMPOSE_PROJECT_NAME: 'of-the-environment' }),
    place: { directory: '.', files: ['compose.yaml'], named: true },
  },
  {
    title: 'a name that is given',
    files: { 'compose.yaml': WEB },
    variables: () => ({ COMPOSE_PROJECT_NAME: 'of-the-environment' }),
    projectName: 'given',
    place: { directory: '.', files: ['compose.yaml'], named: true },
  },
  {
    title: 'COMPOSE_ENV_FILES',
    files: {
      'deploy/compose.yaml': WEB,
      'prod.env': 'FROM=prod\nCOMPOSE_FILE=deploy/compose.yaml\nCOMPOSE_PROFILES=tools\n',
    },
    variables: () => ({ COMPOSE_ENV_FILES: 'prod.env' }),
    place: { directory: 'deploy', files: ['deploy/compose.yaml'], profiles: ['tools'] },
  },
  {
    title: 'env files that are named',
    files: {
      'compose.yaml': WEB,
      'a.env': 'FROM=a\n',
      'b.env': 'FROM=b\nCOMPOSE_PROJECT_NAME=in-b\n',
      '.env': 'FROM=root\n',
    },
    envFiles: ['a.env', 'b.env'],
    place: { directory: '.', files: ['compose.yaml'] },
  },
];

async function make(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'rr-place-')));
  folders.push(root);
  await write(root, files);
  return root;
}

async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
}

/** What a person gets who types it in the folder. */
async function plain(directory: string, args: readonly string[], variables: Readonly<Record<string, string>>) {
  const compose = async (...words: readonly string[]): Promise<string> => {
    const env = { ...environment, ...variables, PWD: directory };
    const { stdout } = await run('docker', ['compose', ...args, ...words], { cwd: directory, env });
    return stdout;
  };
  const all = await compose('--profile', '*', 'config', '--format', 'json');
  const active = (await compose('config', '--services')).trim().split('\n').sort();
  return { document: JSON.parse(all) as unknown, active };
}

describe("the project is plain Compose's", () => {
  it.each(SITUATIONS)('$title', async ({ files, from = '.', variables, composeFiles = [], envFiles = [], ...rest }) => {
    const root = await make(files);
    const directory = path.join(root, from);
    const set = variables?.(root) ?? {};
    const compose = createCompose({ environment: { ...environment, ...set }, debug: () => undefined });
    const target: ComposeTarget = {
      files: composeFiles.map((file) => path.resolve(directory, file)),
      envFiles: envFiles.map((file) => path.resolve(directory, file)),
      directory,
      projectName: rest.projectName,
    };
    const typed = [
      ...composeFiles.flatMap((file) => ['--file', file]),
      ...envFiles.flatMap((file) => ['--env-file', file]),
      ...(rest.projectName === undefined ? [] : ['--project-name', rest.projectName]),
    ];
    const person = await plain(directory, typed, set);

    const { document, services } = await compose.render(target);
    expect(document).toEqual(person.document);

    const place = await compose.place(target);
    expect(place).toMatchObject({
      ...rest.place,
      directory: path.join(root, rest.place.directory ?? '.'),
      files: rest.place.files.map((file) => path.join(root, file)),
    });
    const on = Object.values(services).filter(
      ({ profiles }) => profiles.length === 0 || profiles.some((name) => place.profiles.includes(name)),
    );
    expect(on.map(({ name }) => name).sort()).toEqual(person.active);
  });

  it('is where a link leads that a person went through', async () => {
    const root = await make({ 'releases/1/compose.yaml': WEB });
    await symlink('releases/1', path.join(root, 'current'));
    const directory = path.join(root, 'current');
    const compose = createCompose({ environment, debug: () => undefined });
    const target = { files: [], envFiles: [], directory, projectName: undefined };
    const { document } = await plain(directory, [], {});
    expect((await compose.render(target)).document).toEqual(document);
    expect(await compose.place(target)).toMatchObject({ directory, files: [path.join(directory, 'compose.yaml')] });
  });

  it('is no place where there is no compose file', async () => {
    const root = await make({ 'sub/.env': 'FROM=root\n' });
    const directory = path.join(root, 'sub');
    const compose = createCompose({ environment, debug: () => undefined });
    const place = await compose.place({ files: [], envFiles: [], directory, projectName: undefined });
    expect(place).toMatchObject({ directory, files: [] });
  });
});

interface Moved extends Pick<Situation, 'title' | 'from' | 'variables' | 'composeFiles' | 'envFiles'> {
  /** Of the commit that is live. */
  readonly before: Readonly<Record<string, string>>;
  /** What the wanted commit has in their place, or in addition. */
  readonly after: Readonly<Record<string, string>>;
  readonly untracked?: Readonly<Record<string, string>>;
  /** The folder is reached through a link. */
  readonly linked?: boolean;
}

const MOVED: readonly Moved[] = [
  {
    title: 'the default file, and an override that only the wanted commit has',
    before: { 'compose.yaml': WEB },
    after: { 'compose.yaml': WEB.replace('/data', '/files'), 'compose.override.yaml': OVERRIDE },
    untracked: { '.env': 'FROM=live\n', 'web.env': 'MARK=live\n' },
  },
  {
    title: 'a file in a subfolder',
    before: { 'deploy/compose.yml': WEB },
    after: { 'deploy/compose.yml': WEB.replace('none}', 'other}'), 'deploy/web.env': 'MARK=wanted\n' },
    untracked: { 'deploy/.env': 'FROM=live\nCOMPOSE_PROJECT_NAME=in-deploy\n', '.env': 'FROM=root\n' },
    composeFiles: ['deploy/compose.yml'],
  },
  {
    title: 'COMPOSE_FILE of an .env that git does not track',
    before: { 'deploy/compose.yml': WEB },
    after: { 'deploy/compose.yml': WEB.replace('none}', 'other}') },
    untracked: { '.env': 'COMPOSE_FILE=deploy/compose.yml\n' },
  },
  {
    title: 'COMPOSE_FILE of an .env that is another in the wanted commit',
    before: { 'deploy/compose.yml': WEB, '.env': 'COMPOSE_FILE=deploy/compose.yml\n' },
    after: { 'deploy/over.yml': OVERRIDE, '.env': 'COMPOSE_FILE=deploy/compose.yml:deploy/over.yml\n' },
  },
  {
    title: 'an absolute COMPOSE_FILE of the environment',
    before: { 'deploy/compose.yml': WEB },
    after: { 'deploy/compose.yml': WEB.replace('none}', 'other}') },
    variables: (live) => ({ COMPOSE_FILE: `${live}/deploy/compose.yml` }),
  },
  {
    title: 'a compose file in a parent directory',
    before: { 'compose.yml': WEB, 'sub/keep': '' },
    after: { 'compose.yml': WEB.replace('none}', 'other}') },
    untracked: { '.env': 'FROM=live\n' },
    from: 'sub',
  },
  {
    title: 'an env file that is named and tracked',
    before: { 'compose.yml': WEB, 'prod.env': 'FROM=before\n' },
    after: { 'prod.env': 'FROM=wanted\n' },
    envFiles: ['prod.env'],
  },
  {
    title: 'a folder that is reached through a link',
    before: { 'app/compose.yml': WEB.replace('./data', '../data') },
    after: {
      'app/compose.yml': WEB.replace('./data', '../data').replace('none}', 'other}'),
      'app/web.env': 'MARK=w\n',
    },
    from: 'app',
    linked: true,
  },
];

describe('a wanted commit is rendered as plain Compose renders it when it is checked out', () => {
  it.each(MOVED)(
    '$title',
    async ({ before, after, untracked = {}, from = '.', composeFiles = [], envFiles = [], ...rest }) => {
      const root = await make({});
      const real = path.join(root, 'live');
      await mkdir(real);
      const live = rest.linked === true ? path.join(root, 'current') : real;
      if (rest.linked === true) await symlink('live', live);
      const git = async (...args: readonly string[]): Promise<string> => {
        const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];
        return (await run('git', ['-C', real, ...who, ...args])).stdout.trim();
      };
      const commit = async (files: Readonly<Record<string, string>>): Promise<string> => {
        await write(real, files);
        await git('add', '--all');
        await git('commit', '--quiet', '--message', 'a commit');
        return git('rev-parse', 'HEAD');
      };
      await git('init', '--quiet');
      const first = await commit(before);
      const wanted = await commit(after);
      await git('checkout', '--quiet', '--detach', first);
      await write(real, untracked);

      const directory = path.join(live, from);
      const set = rest.variables?.(live) ?? {};
      const compose = createCompose({ environment: { ...environment, ...set }, debug: () => undefined });
      const source = createSource();
      const target: ComposeTarget = {
        files: composeFiles.map((file) => path.resolve(directory, file)),
        envFiles: envFiles.map((file) => path.resolve(directory, file)),
        directory,
        projectName: undefined,
      };
      const request = { workingDirectory: directory, composeFiles, envFiles, projectName: undefined };
      const opened = {
        target,
        place: await compose.place(target),
        live: await compose.render(target),
        checkout: await asReached(await source.inspect(directory), directory),
      };
      const worktree = path.join(root, 'worktrees', 'one');
      await source.addWorktree(real, worktree, wanted);
      const rendered = await renderWanted(
        { request, compose, source } as unknown as Run,
        opened as unknown as OpenProject,
        worktree,
        wanted,
        'it',
      );

      await git('checkout', '--quiet', wanted);
      const typed = [
        ...composeFiles.flatMap((file) => ['--file', file]),
        ...envFiles.flatMap((file) => ['--env-file', file]),
      ];
      const { document } = await plain(directory, typed, set);
      expect(rendered.project.document).toEqual(document);
    },
  );
});
