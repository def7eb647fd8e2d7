/**
 * Everything on the engine and on the disk that belongs to a project or was left by it, read with the command line tools:
 * another way than the code under test. Tests that run beside it do not show.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { ContainerInspectInfo, VolumeInspectInfo } from 'dockerode';
import { BASE_IMAGE, docker } from './engine-containers.js';
import type { Project } from './project.js';

const run = promisify(execFile);

export interface Item {
  readonly kind: 'container' | 'network' | 'volume' | 'image' | 'NAT rule' | 'worktree' | 'folder' | 'file';
  readonly name: string;
  /** What else is to be the same before and after: ids, states, contents. */
  readonly detail: string;
}

export type Inventory = readonly Item[];

/** A look at a project from its beginning on: what was made for it and has no name is found as well. */
export interface Watch {
  readonly before: Inventory;
  now(): Promise<Inventory>;
  /** `+ kind name: detail`, `- …` and `~ …` for each thing that is new, gone or another one since the beginning. */
  changes(): Promise<readonly string[]>;
  /** `kind name` of each thing that was not there at the beginning. */
  added(): Promise<readonly string[]>;
  close(): void;
}

/** Begins to watch a project. The caller closes it, also after a failure. */
export async function watchInventory(project: Project): Promise<Watch> {
  const volumes = new Set<string>();
  const stop = await followVolumes(project, volumes);
  const now = (): Promise<Inventory> => takeInventory(project, volumes);
  const before = await now();
  return {
    before,
    now,
    changes: async () => changesBetween(before, await now()),
    added: async () => added(before, await now()),
    close: stop,
  };
}

/** @returns differences as lines, sorted; none when both are the same */
export function changesBetween(before: Inventory, after: Inventory): readonly string[] {
  const [old, current] = [byName(before), byName(after)];
  const gone = [...old].flatMap(([name, { detail }]) => (current.has(name) ? [] : [`- ${name}: ${detail}`]));
  const rest = [...current].flatMap(([name, { detail }]) => {
    const was = old.get(name);
    if (was === undefined) return [`+ ${name}: ${detail}`];
    return was.detail === detail ? [] : [`~ ${name}: ${was.detail} → ${detail}`];
  });
  return [...gone, ...rest].sort();
}

/** @returns `kind name` of what is only there afterwards, sorted */
export function added(before: Inventory, after: Inventory): readonly string[] {
  const old = byName(before);
  return [...byName(after).keys()].filter((name) => !old.has(name)).sort();
}

function byName(inventory: Inventory): ReadonlyMap<string, Item> {
  return new Map(inventory.map((item) => [`${item.kind} ${item.name}`, item]));
}

/** @param volumes names of volumes that are the project's, whatever they are called; those of its containers are added */
export async function takeInventory(project: Project, volumes = new Set<string>()): Promise<Inventory> {
  const containers = await containersOf(project);
  for (const { Mounts } of containers) {
    for (const { Type, Name } of Mounts) if (Type === 'volume' && Name !== undefined) volumes.add(Name);
  }
  const parts = await Promise.all([
    volumesOf(project, volumes),
    networksOf(project, containers),
    imagesOf(project),
    rulesOf(project),
    worktreesOf(project),
    filesOf(project),
  ]);
  return [...containers.map(containerItem), ...parts.flat()];
}

/** The project's name stands in the name, image, labels, networks or mounts of each of its containers, or of a helper's. */
async function containersOf(project: Project): Promise<readonly ContainerInspectInfo[]> {
  const all = await inspectAll<ContainerInspectInfo>('container', await words('ps', '--all', '--quiet', '--no-trunc'));
  const own = new Set(all.filter((one) => mentions(project, nameParts(one))).map(({ Id }) => Id));
  const joins = ({ HostConfig }: ContainerInspectInfo): boolean =>
    [HostConfig.NetworkMode, HostConfig.PidMode, HostConfig.IpcMode].some((mode) => own.has(mode?.split(':')[1] ?? ''));
  return all.filter((one) => own.has(one.Id) || joins(one));
}

function nameParts({ Name, Config, HostConfig, Mounts, NetworkSettings }: ContainerInspectInfo): unknown {
  return [Name, Config.Image, Config.Labels, HostConfig.Binds, Mounts, Object.keys(NetworkSettings.Networks)];
}

function containerItem(one: ContainerInspectInfo): Item {
  const { State, Config, Image, Mounts, NetworkSettings, RestartCount, Id } = one;
  const mounts = Mounts.map(({ Type, Name, Source, Destination }) => `${Type}:${Name ?? Source}:${Destination}`).sort();
  const networks = Object.keys(NetworkSettings.Networks).sort();
  const parts = [
    State.Status,
    `image ${Config.Image} (${short(Image)})`,
    `networks ${networks.join(', ')}`,
    `mounts ${mounts.join(', ')}`,
    `started ${State.StartedAt}, ${RestartCount} restarts, id ${short(Id)}`,
  ];
  return { kind: 'container', name: one.Name.replace(/^\//, ''), detail: parts.join('; ') };
}

async function volumesOf(project: Project, known: ReadonlySet<string>): Promise<readonly Item[]> {
  const all = await inspectAll<VolumeInspectInfo & { CreatedAt: string }>(
    'volume',
    await words('volume', 'ls', '--quiet'),
  );
  return all
    .filter(({ Name, Labels, Options }) => known.has(Name) || mentions(project, [Name, Labels, Options]))
    .map(({ Name, Driver, Labels, Options, CreatedAt }) => {
      const detail = `${Driver}; labels ${sorted(Labels)}; options ${sorted(Options)}; made ${CreatedAt}`;
      return { kind: 'volume', name: Name, detail };
    });
}

async function networksOf(project: Project, containers: readonly ContainerInspectInfo[]): Promise<readonly Item[]> {
  interface Network {
    readonly Id: string;
    readonly Name: string;
    readonly Driver: string;
    readonly Labels: Record<string, string> | null;
    readonly Options: Record<string, string> | null;
  }
  const all = await inspectAll<Network>('network', await words('network', 'ls', '--quiet', '--no-trunc'));
  const used = new Set(containers.flatMap(({ NetworkSettings }) => Object.keys(NetworkSettings.Networks)));
  return all
    .filter(({ Name, Labels }) => mentions(project, [Name, Labels]) || used.has(Name))
    .filter(({ Name }) => !['bridge', 'host', 'none'].includes(Name))
    .map(({ Id, Name, Driver, Labels, Options }) => {
      const detail = `${Driver}; labels ${sorted(Labels)}; options ${sorted(Options)}; id ${short(Id)}`;
      return { kind: 'network', name: Name, detail };
    });
}

/** Tags, and images of the project's own that have lost theirs: `case-app` has the project's name in a label. */
async function imagesOf(project: Project): Promise<readonly Item[]> {
  const lines = await words('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}}={{.ID}}');
  const tagged = lines.map((line) => line.split('=')).map(([name = '', id = '']) => ({ name, id }));
  const dangling = await words(
    'images',
    '--quiet',
    '--no-trunc',
    '--filter',
    'dangling=true',
    '--filter',
    `label=${IMAGE_LABEL}=${project.name}`,
  );
  return [
    ...tagged.filter(({ name }) => mentions(project, name)).map(({ name, id }) => ({ name, detail: short(id) })),
    ...dangling.map((id) => ({ name: `without a tag ${short(id)}`, detail: short(id) })),
  ].map((image) => ({ kind: 'image', ...image }));
}

/** On images that tests build for a project. */
export const IMAGE_LABEL = 'test.project';

async function rulesOf(project: Project): Promise<readonly Item[]> {
  const script = 'PATH=$PATH:/usr/sbin:/sbin; iptables-save -t nat && ip6tables-save -t nat';
  const direct = run('sh', ['-c', script]).then(({ stdout }) => stdout);
  // Whoever may use the engine may read the rules, although not always directly.
  const inContainer = (): Promise<string> =>
    docker(
      'run',
      '--rm',
      '--network',
      'host',
      '--privileged',
      '-v',
      '/:/host',
      BASE_IMAGE,
      'chroot',
      '/host',
      'sh',
      '-c',
      script,
    );
  const text = await direct.catch(inContainer);
  return text
    .split('\n')
    .filter((line) => line.startsWith('-A') && mentions(project, line))
    .map((name) => ({ kind: 'NAT rule', name, detail: '' }));
}

async function worktreesOf(project: Project): Promise<readonly Item[]> {
  // A plain folder has none.
  const text = await run('git', ['-C', project.dir, 'worktree', 'list', '--porcelain']).then(
    ({ stdout }) => stdout,
    () => '',
  );
  return [...text.matchAll(/^worktree (.*)\nHEAD (.*)$/gm)].map(([, name = '', detail = '']) => ({
    kind: 'worktree',
    name: relative(project.root, name),
    detail,
  }));
}

/** The live directory, temporary files, and the state folder without evidence and reports, which every run writes. */
async function filesOf(project: Project): Promise<readonly Item[]> {
  const skipped = [/^(origin\.git|work|(main|post)-\w+)$/, /\/\.git$/, /^state(\/evidence)?$/, /^tmp(\/tsx-\d+)?$/];
  const items: Item[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name);
      const name = relative(project.root, path);
      const listed = !skipped.some((pattern) => pattern.test(name));
      if (entry.isDirectory()) {
        if (listed) items.push({ kind: 'folder', name, detail: '' });
        if (listed || ['state', 'tmp'].includes(name)) await walk(path);
      } else if (listed) {
        const content = entry.isSymbolicLink() ? readlink(path) : entry.isFile() ? readFile(path) : '';
        const hash = createHash('sha256')
          .update(await content)
          .digest('hex');
        items.push({ kind: 'file', name, detail: hash.slice(0, 12) });
      }
    }
  };
  await walk(project.root);
  return items;
}

/** A volume without a name shows only in the container that it was made for, which may be gone when one looks. */
async function followVolumes(project: Project, found: Set<string>): Promise<() => void> {
  interface Event {
    readonly Type: string;
    readonly Action: string;
    readonly Actor: { readonly ID: string; readonly Attributes: Record<string, string> };
  }
  const filters = ['create', 'mount'].flatMap((event) => ['--filter', `event=${event}`]);
  const since = String(Math.floor(Date.now() / 1000));
  const child = spawn('docker', ['events', '--since', since, '--format', '{{json .}}', ...filters], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const own = new Set<string>();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const { Type, Action, Actor } of lines.map((line) => JSON.parse(line) as Event)) {
      if (Type === 'container' && mentions(project, Actor.Attributes)) {
        own.add(Actor.ID);
        // One that is never started mounts nothing.
        void inspectAll<ContainerInspectInfo>('container', [Actor.ID]).then((containers) => {
          for (const { Name } of containers.flatMap(({ Mounts }) => Mounts)) if (Name !== undefined) found.add(Name);
        });
      }
      if (Type === 'volume' && Action === 'mount' && own.has(Actor.Attributes['container'] ?? '')) found.add(Actor.ID);
    }
  });
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  return () => child.kill();
}

/** What goes away between the list and the look is left out. */
async function inspectAll<T>(kind: string, names: readonly string[]): Promise<readonly T[]> {
  if (names.length === 0) return [];
  const output = run('docker', ['inspect', '--type', kind, ...names], { maxBuffer: 64 * 1024 * 1024 });
  const text = await output.then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { stdout: string }).stdout,
  );
  return JSON.parse(text) as readonly T[];
}

async function words(...args: readonly string[]): Promise<readonly string[]> {
  return (await docker(...args)).split('\n').filter((line) => line !== '');
}

function mentions({ name }: Project, value: unknown): boolean {
  return JSON.stringify(value).includes(name);
}

function sorted(record: Readonly<Record<string, string>> | null | undefined): string {
  return JSON.stringify(Object.entries(record ?? {}).sort());
}

const short = (id: string): string => id.replace('sha256:', '').slice(0, 12);
