import type { ContainerSet, RouterSpec, Serve } from '../model/router.js';

export function counted(count: number, one = 'the container', more = 'containers'): string {
  return count === 1 ? one : `${count} ${more}`;
}

export function describeSet(set: ContainerSet): string {
  return set.are === 'these'
    ? counted(set.containers.length, 'the old container', 'old containers')
    : 'the new containers';
}

export function describeServe(serve: Serve): string {
  switch (serve.who) {
    case 'only':
      return `sends requests only to ${counted(serve.containers.length)}`;
    case 'all-but':
      if (serve.containers.length === 0) return 'sends requests to every container';
      return `sends requests to all but ${counted(serve.containers.length, 'one container', 'old containers')}`;
    case 'new':
      return serve.percent === 100
        ? 'sends all requests to the new containers'
        : `sends ${serve.percent} % of the requests to the new containers`;
  }
}

export function routerWords(router: RouterSpec): string {
  switch (router.kind) {
    case 'edge':
      return 'the edge';
    case 'haproxy':
      return `HAProxy (backend ${router.backend})`;
    case 'caddy':
      return `Caddy (${router.id})`;
    case 'discovery':
      return 'the discovering proxy';
    case 'none':
      return 'no router: the engine alone';
  }
}

/** @returns the first line of a command, with a mark where there are more */
export function firstLine(command: string): string {
  const [first = '', ...rest] = command.trim().split('\n');
  return rest.length === 0 ? first : `${first} …`;
}
