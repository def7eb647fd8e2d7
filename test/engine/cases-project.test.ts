import { cp, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { PROCEDURES } from '../../src/model/request.js';
import { ALL_PROCEDURES } from '../../src/procedures/index.js';
import type { RunReport } from '../../src/model/report.js';
import { makeCase, type Case } from '../support/cases.js';
import { doorFile } from '../support/doors.js';
import { docker } from '../support/engine-containers.js';
import { watchInventory } from '../support/inventory.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { typeInShell } from '../support/shell.js';

/** Another project, another folder, another host than Compose or the person means. */
let made: Case | undefined;
async function make(name: string): Promise<Case> {
  made = await makeCase(name);
  return made;
}
afterEach(async () => {
  await made?.cleanup();
  made = undefined;
});

/** A second checkout of the project's files. @param name of its folder, and so of its project */
async function copyOf(project: Case, place: string, name: string): Promise<string> {
  const folder = path.join(project.root, place, name);
  await mkdir(path.dirname(folder), { recursive: true });
  await cp(project.dir, folder, { recursive: true });
  return folder;
}

async function edit(file: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(from);
  await writeFile(file, text.replace(from, to));
}

type Inputs = Readonly<Record<string, string>>;

/** A procedure in a folder of the project, which is called as Compose calls it. */
function run(project: Case, directory: string, inputs: Inputs): Promise<Carried> {
  return carryOut({ ...project, dir: directory }, { procedure: 'code-update', 'project-name': '', ...inputs });
}

/** Dry run and real run are refused alike, and nothing on engine and disk is another than before. */
async function expectRefused(project: Case, directory: string, inputs: Inputs): Promise<RunReport> {
  const watch = await watchInventory(project);
  try {
    const planned = await run(project, directory, { ...inputs, 'dry-run': 'true' });
    const { report, log } = await run(project, directory, inputs);
    expect(report, log).toMatchObject({ outcome: 'refused', changed: false });
    expect(planned.report, planned.log).toMatchObject({ outcome: 'refused', headline: report.headline });
    expect(await watch.changes(), log).toEqual([]);
    return report;
  } finally {
    watch.close();
  }
}

const write = (project: Case): Promise<string> =>
  docker('exec', `${project.name}-db-1`, 'sh', '-c', 'echo row > /data/row; cat /data/row');

describe('the same files under another project name (case 01)', () => {
  it('a: are refused by the name of a container, and the project that is meant is named', async () => {
    const project = await make('01-other-project-name');
    await project.sh('docker compose up -d --wait');
    const infra = await copyOf(project, 'runner', `${project.name}-infra`);
    const report = await expectRefused(project, infra, { service: 'db' });
    expect(report.error?.code).toBe('E_PROJECT');
    expect(report.headline).toContain(`belongs to project ${project.name} (from ${project.dir})`);
    expect(report.error?.next).toContain(`set project-name: ${project.name}.`);

    // Force cannot give two containers one name.
    const forced = await expectRefused(project, infra, { service: 'db', force: 'true' });
    expect(forced.error?.code).toBe('E_PROJECT');

    // What is said is what helps, but for the folder, which is another.
    const named = await expectRefused(project, infra, { service: 'db', 'project-name': project.name });
    expect(named.headline).toContain(`was made from ${project.dir}, and this run is for ${infra}`);
    expect(named.error?.next).toContain(`set working-directory: ${project.dir}.`);
    const right = await run(project, project.dir, { service: 'db' });
    expect(right.report.outcome, right.log).toBe('unchanged');
  });

  it('b: are refused by their volume, and by a port', async () => {
    const project = await make('01-other-project-name');
    await project.edit('compose.yml', /\n.*container_name:.*/, '');
    await project.sh('docker compose up -d --wait');
    expect(await write(project)).toBe('row');
    const infra = await copyOf(project, 'runner', `${project.name}-infra`);
    // Also where the copy has moved on.
    await edit(path.join(infra, 'compose.yml'), 'case-app:1', 'case-app:2');
    const report = await expectRefused(project, infra, {});
    expect(report.error?.code).toBe('E_PROJECT');
    expect(report.headline).toContain(`Project ${project.name} (from ${project.dir}) runs db with its volume`);
    expect(report.error?.next).toContain(`set project-name: ${project.name}.`);

    const port = `    ports: ["127.0.0.1:${project.portOf(1)}:80"]\n    volumes:`;
    await edit(path.join(infra, 'compose.yml'), '    volumes:', port);
    await project.edit('compose.yml', '    volumes:', port);
    await project.edit('compose.yml', 'pg:/data', 'other:/data');
    await project.edit('compose.yml', '{ pg: {} }', '{ other: {} }');
    await project.sh('docker compose up -d --wait');
    const byPort = await expectRefused(project, infra, { service: 'db', remedies: 'free-port' });
    expect(byPort.headline).toContain(`runs db on port ${project.portOf(1)}/tcp of the host`);

    // A name that is given is meant; the port is still somebody's, and nobody offers to end that one.
    const name = `${project.name}-infra`;
    const named = await run(project, infra, { service: 'db', 'project-name': name, remedies: 'free-port' });
    expect(named.report, named.log).toMatchObject({ outcome: 'refused', error: { code: 'E_GATE' } });
    expect(named.report.headline).toContain(`free-port does not end it: it is db of project ${project.name}`);
    expect((await project.inspect('db')).State.Running).toBe(true);
  });

  it('c: are refused in another folder of that name, and force takes the project over', async () => {
    const project = await make('01-other-project-name');
    const [a, b] = [project.dir, await copyOf(project, 'b', project.name)];
    await edit(path.join(b, 'compose.yml'), `${project.name}-db`, `${project.name}-other`);
    await edit(path.join(b, 'compose.yml'), 'case-app:1', 'case-app:2');
    await project.sh('docker compose up -d --wait');
    const report = await expectRefused(project, b, { service: 'db' });
    expect(report.error?.code).toBe('E_PROJECT');
    expect(report.headline).toBe(`Project ${project.name} was made from ${a}, and this run is for ${b}`);

    const status = await typeInShell({ ...project, dir: b }, 'status');
    expect(status.nextSteps.join('\n')).toContain(report.headline);
    const check = await carryOut({ ...project, dir: b }, { procedure: 'check' });
    expect(check.report.nextSteps.join('\n')).toContain(report.headline);
    expect(check.report.outcome).toBe('completed');
    const commit = await carryOut({ ...project, dir: b }, { procedure: 'plan' });
    expect(commit.report.nextSteps.join('\n'), commit.log).toContain(report.headline);

    const force = { service: 'db', force: 'true' };
    const planned = await run(project, b, { ...force, 'dry-run': 'true' });
    for (const folder of [a, b]) expect(planned.log).toContain(folder);
    const taken = await run(project, b, force);
    expect(taken.report.outcome, taken.log).toBe('deployed');
    expect(taken.report.plan?.services[0]?.decision).toMatchObject({
      reasons: expect.arrayContaining([`it was made from ${a}, and this folder takes it over`]) as string[],
    });
    const { Config } = await project.inspect('db');
    expect(Config.Labels['com.docker.compose.project.working_dir']).toBe(b);
    // From now on it is this folder's.
    const again = await run(project, b, { service: 'db' });
    expect(again.report.outcome, again.log).toBe('unchanged');
    const back = await expectRefused(project, a, { service: 'db' });
    expect(back.headline).toBe(`Project ${project.name} was made from ${b}, and this run is for ${a}`);
  });

  it('are refused once in a folder that was renamed, where nothing of the definition differs', async () => {
    const project = await make('01-other-project-name');
    await project.write('.env', `COMPOSE_PROJECT_NAME=${project.name}\n`);
    await project.sh('docker compose up -d --wait');
    const moved = path.join(project.root, 'moved');
    await rename(project.dir, moved);
    // Plain Compose takes it as it is, and leaves the labels of the old folder.
    await project.sh('docker compose up -d --wait', { cwd: moved });
    const report = await expectRefused(project, moved, { service: 'db' });
    expect(report.headline).toContain(`was made from ${project.dir}`);
    const taken = await run(project, moved, { service: 'db', force: 'true' });
    expect(taken.report.outcome, taken.log).toBe('deployed');
    const again = await run(project, moved, { service: 'db' });
    expect(again.report.outcome, again.log).toBe('unchanged');
  });

  it('are the same project through a link, with an override more, and with one less', async () => {
    const project = await make('01-other-project-name');
    await project.write('.env', `COMPOSE_PROJECT_NAME=${project.name}\n`);
    await project.sh('docker compose up -d --wait');
    const link = path.join(project.root, 'current');
    await symlink(project.dir, link);
    expect((await run(project, link, { service: 'db' })).report.outcome).toBe('unchanged');
    await project.write('compose.override.yml', 'services: { db: { environment: { A: "1" } } }\n');
    const more = await run(project, project.dir, { service: 'db' });
    expect(more.report.outcome, more.log).toBe('deployed');
    const less = await run(project, project.dir, { service: 'db', 'compose-files': 'compose.yml' });
    expect(less.report.outcome, less.log).toBe('deployed');
  });

  it('are not missed where only the wanted commit has the name', async () => {
    const project = (made = await makeCase('01-other-project-name', { git: true }));
    await project.sh('docker compose up -d --wait');
    const infra = await copyOf(project, 'runner', `${project.name}-infra`);
    await project.sh("sed -i '/container_name/d; s/pg/other/' compose.yml && git commit -qam without", { cwd: infra });
    const { report, log } = await run(project, infra, { service: 'db', ref: 'main' });
    expect(report, log).toMatchObject({ outcome: 'refused', error: { code: 'E_PROJECT' } });
    expect(report.headline).toContain(`belongs to project ${project.name}`);
    const own = ['--filter', `label=com.docker.compose.project=${project.name}-infra`, '--quiet'];
    for (const list of ['ps', 'volume ls', 'network ls']) expect(await docker(...list.split(' '), ...own)).toBe('');
  });
});

describe("another folder's project", () => {
  const INPUTS: Readonly<Partial<Record<(typeof PROCEDURES)[number], Readonly<Record<string, string>>>>> = {
    restore: { backup: 'latest' },
    'full-restart': { service: '' },
  };
  const changing = PROCEDURES.filter((name) => ALL_PROCEDURES[name].perform !== undefined);

  it('is refused by every procedure that changes something, and by its dry run', async () => {
    const project = await make('01-other-project-name');
    await project.sh('docker compose up -d --wait');
    const b = await copyOf(project, 'b', project.name);
    const watch = await watchInventory(project);
    try {
      for (const procedure of changing) {
        for (const dryRun of ['true', 'false']) {
          const inputs = { procedure, service: 'db', 'dry-run': dryRun, ...INPUTS[procedure] };
          const { report, log } = await carryOut({ ...project, dir: b }, inputs);
          expect(report, `${procedure}\n${log}`).toMatchObject({ outcome: 'refused', error: { code: 'E_PROJECT' } });
        }
      }
      expect(await watch.changes()).toEqual([]);
    } finally {
      watch.close();
    }
  });
});

describe('a compose file in a subfolder (case 22)', () => {
  it("is Compose's own project: name, .env, env_file and mounts", async () => {
    const project = await make('22-compose-file-in-subfolder');
    const folder = `${project.name}-deploy`;
    await project.write(`${folder}/data/here`, 'kept\n');
    await project.sh(`docker compose -f ${folder}/compose.yml up -d --wait`);
    const [id] = (await docker('ps', '-q', '--no-trunc', '--filter', `label=com.docker.compose.project=${folder}`))
      .split('\n')
      .filter((one) => one !== '');
    const inputs = { 'compose-files': `${folder}/compose.yml`, service: 'web' };
    const same = await run(project, project.dir, inputs);
    expect(same.report, same.log).toMatchObject({ outcome: 'unchanged', project: folder });

    await project.edit(`${folder}/compose.yml`, 'case-app:2', 'case-app:3');
    const next = await run(project, project.dir, inputs);
    expect(next.report.outcome, next.log).toBe('deployed');
    const inspect = async (): Promise<readonly string[]> =>
      (
        await docker(
          ...['ps', '--no-trunc', '--filter', `label=com.docker.compose.project=${folder}`],
          ...['--format', '{{.ID}} {{.Label "com.docker.compose.project.working_dir"}}'],
        )
      )
        .split('\n')
        .filter((one) => one !== '');
    const after = await inspect();
    expect(after).toHaveLength(1);
    const [now = '', directory] = (after[0] ?? '').split(' ');
    expect(now).not.toBe(id);
    expect(directory).toBe(path.join(project.dir, folder));
    expect(await docker('exec', now, 'sh', '-c', 'echo $MARK; cat /data/here')).toBe('from-web-env\nkept');
    // What a person does next finds it as it is.
    await project.sh(`docker compose -f ${folder}/compose.yml up -d --wait`);
    expect(await inspect()).toEqual(after);
    expect(await docker('ps', '-aq', '--filter', `label=com.docker.compose.project=${project.name}`)).toBe('');
  });

  it('that was deployed under the name of the folder above is not deployed beside that', async () => {
    const project = await make('22-compose-file-in-subfolder');
    const folder = `${project.name}-deploy`;
    // As versions before did it: the folder above was the project directory, and the file is gone since.
    await project.sh(
      `cp ${folder}/compose.yml rendered.yml && docker compose --project-directory . -f rendered.yml up -d --wait && rm rendered.yml`,
    );
    const inputs = { 'compose-files': `${folder}/compose.yml`, service: 'web' };
    const report = await expectRefused(project, project.dir, inputs);
    expect(report.error?.next).toContain(`set project-name: ${project.name}.`);
    const named = await run(project, project.dir, { ...inputs, 'project-name': project.name });
    expect(named.report.outcome, named.log).toBe('deployed');
  });
});

describe("a checkout that the engine's host does not have (case 30b)", () => {
  /** In a mount namespace of its own, as in a runner's container: a folder is another one there. */
  async function runElsewhere(project: Case, folder: string, before: string, words: string) {
    const door = `node ${doorFile('cli')}`;
    const state = path.join(project.root, 'state');
    const inside = [
      `mount -t tmpfs none ${folder}`,
      before,
      `cd ${folder}/site`,
      `${door} ${words} --working-directory . --state-dir ${state} --json`,
    ].join('\n');
    await writeFile(path.join(project.root, 'inside.sh'), inside);
    const { stdout, stderr } = await project.sh(`unshare -m bash -e ${project.root}/inside.sh`, { mayFail: true });
    expect(stdout, stderr).toMatch(/^\{/);
    return JSON.parse(stdout) as RunReport;
  }

  it('is refused, and nothing is made on the host', async () => {
    const project = await make('30b-checkout-not-on-engine-host');
    const hidden = path.join(project.root, 'hidden');
    await mkdir(hidden);
    const fill = `cp -r ${project.dir} ${hidden}/site; cd ${hidden}/site; echo conf > app.conf; mkdir data; echo f > data/f`;
    const watch = await watchInventory(project);
    try {
      for (const words of [
        'code-update --service web --dry-run',
        'code-update --service web',
        'emergency --service web',
      ]) {
        const report = await runElsewhere(project, hidden, fill, words);
        expect(report, words).toMatchObject({ outcome: 'refused', changed: false, error: { code: 'E_HOST' } });
        expect(report.headline).toBe(`The engine's host does not have ${hidden}/site/compose.yml, which this run sees`);
      }
      expect((await watch.added()).filter((line) => !line.includes('inside.sh'))).toEqual([]);
    } finally {
      watch.close();
    }
  });

  it('is refused where the host has other files at that path', async () => {
    const project = await make('30b-checkout-not-on-engine-host');
    const site = path.join(project.root, 'hidden', 'site');
    await mkdir(path.dirname(site));
    await cp(project.dir, site, { recursive: true });
    const fill = `cp -r ${project.dir} ${site}; cd ${site}; echo conf > app.conf`;
    const same = await runElsewhere(project, path.dirname(site), fill, 'code-update --service web');
    expect(same).toMatchObject({ outcome: 'refused', error: { code: 'E_HOST' } });
    expect(same.headline).toBe(`The engine's host does not have ${site}/app.conf, which this run sees`);
    await mkdir(path.join(site, 'data'));
    const other = await runElsewhere(
      project,
      path.dirname(site),
      `${fill}; rm app.conf; mkdir data; echo '# more' >> compose.yml`,
      'code-update --service web',
    );
    expect(other.headline).toBe(`The engine's host has another ${site}/compose.yml than this run sees`);
  });

  it('is no hindrance where nothing of it is mounted, and where the host has it', async () => {
    const project = await make('30b-checkout-not-on-engine-host');
    await project.write('app.conf', 'conf\n');
    await project.write('data/f', 'f\n');
    const begin = await run(project, project.dir, { service: 'web' });
    expect(begin.report.outcome, begin.log).toBe('deployed');
    expect(begin.log).toContain("gate engine-host: the engine's host has the same");
    expect(await docker('exec', `${project.name}-web-1`, 'cat', '/etc/app.conf', '/data/f')).toBe('conf\nf');

    const hidden = path.join(project.root, 'hidden');
    await mkdir(hidden);
    const bare = `${project.name}-bare`;
    const fill = `mkdir ${hidden}/site; sed '/volumes/d' ${project.dir}/compose.yml > ${hidden}/site/compose.yml`;
    const words = `code-update --service web --project-name ${bare} --watch 0s`;
    expect(await runElsewhere(project, hidden, fill, words)).toMatchObject({ outcome: 'deployed', project: bare });
  });
});
