import { describe, expect, it } from 'vitest';
import {
  claimsOf,
  findOwner,
  ownerError,
  type Claim,
  type Claims,
  type Neighbour,
  type OwnerProblem,
  type VolumeOwners,
} from '../../src/model/project-owner.js';
import type { ComposeProject } from '../../src/model/service.js';

/** Whose the project is, by what the engine has and by what the run takes for its own. */
const DB: Claim = {
  service: 'db',
  containerName: undefined,
  image: 'postgres:16',
  built: false,
  ports: ['5432/tcp'],
  volumes: [{ key: 'pg', name: 'shop-infra_pg', target: '/data' }],
};
const WEB: Claim = { ...DB, service: 'web', image: 'shop-infra-web', built: true, ports: [], volumes: [] };

const claims = (more: Partial<Claims> = {}): Claims => ({
  project: 'shop-infra',
  named: false,
  directory: '/runner/shop-infra',
  folders: ['/runner/shop-infra'],
  files: ['/runner/shop-infra/compose.yml'],
  services: [DB, WEB],
  ...more,
});

/** The real one: another name, another folder, the same services. */
const other = (more: Partial<Neighbour> = {}): Neighbour => ({
  name: 'shop-db-1',
  project: 'shop',
  worksFor: undefined,
  service: 'db',
  directory: '/srv/shop',
  files: ['/srv/shop/compose.yml'],
  image: 'postgres:15',
  ports: [],
  volumes: [{ name: 'shop_pg', target: '/data' }],
  ...more,
});
const own = (more: Partial<Neighbour> = {}): Neighbour =>
  other({
    name: 'shop-infra-db-1',
    project: 'shop-infra',
    directory: '/runner/shop-infra',
    files: ['/runner/shop-infra/compose.yml'],
    volumes: [{ name: 'shop-infra_pg', target: '/data' }],
    ...more,
  });

const SHOP_PG = ['shop_pg', { project: 'shop', key: 'pg' }] as const;
const volumes = (...more: (readonly [string, { project: string; key: string }])[]): VolumeOwners =>
  new Map([SHOP_PG, ...more]);
const NONE: VolumeOwners = new Map();

const problem = (
  neighbours: readonly Neighbour[],
  asked: Claims = claims(),
  there: VolumeOwners = NONE,
): OwnerProblem | undefined => findOwner(asked, neighbours, there);

describe('a name of a container', () => {
  const named = claims({ services: [{ ...DB, containerName: 'shop-db' }] });

  it.each([
    ['of another project', other({ name: 'shop-db' }), { kind: 'name-taken', project: 'shop', folder: '/srv/shop' }],
    [
      'of no project',
      other({ name: 'shop-db', project: undefined, directory: undefined }),
      { kind: 'name-taken', project: undefined },
    ],
    ['of this project', own({ name: 'shop-db' }), undefined],
    ['of what works for this project', other({ name: 'shop-db', worksFor: 'shop-infra' }), undefined],
    ['that nobody wants', other({ name: 'shop-web' }), undefined],
  ] as const)('%s', (_title, neighbour, expected) => {
    const found = problem([neighbour], named);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject({ container: 'shop-db', ...expected });
  });

  it('counts where the project was given a name and runs already', () => {
    const found = problem([own(), other({ name: 'shop-db' })], { ...named, named: true });
    expect(found).toMatchObject({ kind: 'name-taken' });
  });

  it('does not count of a service that the run leaves alone', () => {
    expect(problem([own(), other({ name: 'shop-db' })], claims())).toBeUndefined();
  });
});

describe('a project of the same name', () => {
  const elsewhere = { directory: '/b/shop-infra', files: ['/b/shop-infra/compose.yml'] };
  it.each([
    ['from this folder', [own()], {}, undefined],
    ['from another folder', [own(elsewhere)], {}, '/b/shop-infra'],
    ['from another folder, whose files are gone', [own({ ...elsewhere, files: [] })], {}, '/b/shop-infra'],
    ['from another folder, with one of these files', [own({ directory: '/b' })], {}, undefined],
    ['from this folder, with other files', [own({ files: ['/runner/shop-infra/override.yml'] })], {}, undefined],
    ['from this folder, with files that are gone', [own({ files: [] })], {}, undefined],
    [
      'from the folder that Compose was started in',
      [own({ directory: '/runner', files: [] })],
      { folders: ['/runner/shop-infra', '/runner'] },
      undefined,
    ],
    ['that somebody gave its name', [own(elsewhere)], { named: true }, '/b/shop-infra'],
    ['without labels of a folder', [own({ directory: undefined, files: [] })], {}, undefined],
    ['with one service from another folder', [own({ service: 'web' }), own(elsewhere)], {}, '/b/shop-infra'],
    [
      'with one service from another folder that the run leaves alone',
      [own({ service: 'web' }), own(elsewhere)],
      { services: [WEB] },
      undefined,
    ],
    [
      'that is from another folder as a whole, for a service that it does not have',
      [own({ ...elsewhere, service: 'queue' })],
      {},
      '/b/shop-infra',
    ],
  ] as const)('%s', (_title, neighbours, more, folder) => {
    expect(problem(neighbours, claims(more))).toEqual(folder === undefined ? undefined : { kind: 'stranger', folder });
  });
});

describe('the same services under another name', () => {
  const here = { directory: '/runner/shop-infra', files: ['/runner/shop-infra/compose.yml'] };
  it.each([
    ['from the same file', other(here), NONE, {}, /runs db from \/runner\/shop-infra\/compose.yml/],
    ['from the same folder, by files that are gone', other({ ...here, files: [] }), NONE, {}, /runs db from \/runner/],
    [
      'from the same folder, by other files',
      other({ ...here, files: ['/runner/shop-infra/b.yml'] }),
      NONE,
      {},
      undefined,
    ],
    ['with a port that is wanted', other({ ports: ['5432/tcp'] }), NONE, {}, /on port 5432\/tcp of the host/],
    ['with the port in another protocol', other({ ports: ['5432/udp'] }), NONE, {}, undefined],
    ['with a port that another service wants', other({ service: 'x', ports: ['5432/tcp'] }), NONE, {}, undefined],
    ['with the volume', other(), volumes(), {}, /runs db with its volume shop_pg/],
    ['with the volume, of an image by its id', other({ image: `sha256:${'a'.repeat(64)}` }), volumes(), {}, /shop_pg/],
    ['with the volume, of another image', other({ image: 'mysql:8' }), volumes(), {}, undefined],
    [
      'with the volume at another path',
      other({ volumes: [{ name: 'shop_pg', target: '/x' }] }),
      volumes(),
      {},
      undefined,
    ],
    ['with the volume, in another service', other({ service: 'cache' }), volumes(), {}, undefined],
    [
      'with the volume, where this project has one',
      other(),
      volumes(['shop-infra_pg', { project: 'shop-infra', key: 'pg' }]),
      {},
      undefined,
    ],
    [
      'with a volume that it shares',
      other({ volumes: [{ name: 'common', target: '/data' }] }),
      new Map([['common', { project: undefined, key: undefined }]]),
      {},
      undefined,
    ],
    ['with the volume, by a project that was given its name', other(), volumes(), { named: true }, undefined],
    ['with the volume, of an edge', other({ worksFor: 'shop' }), volumes(), {}, undefined],
    ['with the volume, by no project', other({ project: undefined }), volumes(), {}, undefined],
  ] as const)('%s', (_title, neighbour, there, more, proof) => {
    const found = problem([neighbour], claims(more), there);
    if (proof === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject({ kind: 'twin', project: 'shop', proof: expect.stringMatching(proof) as string });
  });

  it('does not count where this project runs', () => {
    expect(problem([own({ service: 'web' }), other(here)])).toBeUndefined();
  });

  it('is found by its files before a port of another one', () => {
    const neighbours = [other({ project: 'third', ports: ['5432/tcp'] }), other(here)];
    expect(problem(neighbours)).toMatchObject({ project: 'shop' });
  });
});

describe('what services take', () => {
  const project = {
    name: 'app',
    volumes: { pg: { name: 'app_pg' }, shared: { name: 'everybodys' }, there: { name: 'app_there2', external: true } },
    services: {
      db: {
        name: 'db',
        containerName: 'app-db',
        image: 'postgres:16',
        build: undefined,
        ports: [
          { target: 1, published: '5432', protocol: 'tcp', hostIp: undefined },
          { target: 2, published: '53', protocol: 'udp', hostIp: undefined },
          { target: 3, published: '8000-8010', protocol: 'tcp', hostIp: undefined },
          { target: 4, published: undefined, protocol: 'tcp', hostIp: undefined },
        ],
        mounts: [
          { type: 'volume', source: 'pg', target: '/data', readOnly: false },
          { type: 'volume', source: 'shared', target: '/shared', readOnly: false },
          { type: 'volume', source: 'there', target: '/there', readOnly: false },
          { type: 'volume', source: undefined, target: '/cache', readOnly: false },
          { type: 'bind', source: '/srv/x', target: '/x', readOnly: false },
        ],
      },
    },
  } as unknown as ComposeProject;

  it('is names, fixed ports, and volumes that Compose names by the project', () => {
    expect(claimsOf(project, ['db', 'gone'])).toEqual([
      {
        service: 'db',
        containerName: 'app-db',
        image: 'postgres:16',
        built: false,
        ports: ['5432/tcp', '53/udp'],
        volumes: [{ key: 'pg', name: 'app_pg', target: '/data' }],
      },
    ]);
  });
});

describe('what is said', () => {
  it.each([
    [
      { kind: 'name-taken', container: 'shop-db', project: 'shop', folder: '/srv/shop' },
      'Container shop-db belongs to project shop (from /srv/shop), and this run is for project shop-infra',
      'project-name: shop',
    ],
    [
      { kind: 'name-taken', container: 'shop-db', project: undefined, folder: undefined },
      'Container shop-db is there already, and it belongs to no compose project',
      'Rename or remove that container',
    ],
    [
      { kind: 'stranger', folder: '/srv/shop' },
      'Project shop-infra was made from /srv/shop, and this run is for /runner/shop-infra',
      'working-directory: /srv/shop',
    ],
    [
      { kind: 'twin', project: 'shop', folder: '/srv/shop', proof: 'runs db with its volume shop_pg' },
      'Project shop (from /srv/shop) runs db with its volume shop_pg, and project shop-infra does not exist yet',
      'project-name: shop',
    ],
  ] as const)('names what is meant: $0.kind', (found, message, next) => {
    const error = ownerError(claims(), found);
    expect(error).toMatchObject({ code: 'E_PROJECT', message });
    expect(error.next).toContain(next);
    expect(error.next).toMatch(/Nothing was changed\.$/);
  });
});
