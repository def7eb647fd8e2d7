import { z } from 'zod';
import { ProcedureError } from '../model/errors.js';

/** An upstream of the handler; what else it says, such as `max_requests`, is kept. */
const upstreamSchema = z.looseObject({ dial: z.string() });
export type Upstream = z.infer<typeof upstreamSchema>;

const handlerSchema = z.looseObject({
  handler: z.string(),
  upstreams: z.array(upstreamSchema).nullish(),
  dynamic_upstreams: z.unknown().optional(),
  handle_response: z.array(z.looseObject({})).nullish(),
});
export type Handler = z.infer<typeof handlerSchema>;

const countsSchema = z.array(z.looseObject({ address: z.string(), num_requests: z.number() }));

/** Who gets requests, and whose requests in flight are still counted. */
export interface Upstreams {
  readonly serving: readonly Upstream[];
  readonly kept: readonly Upstream[];
}

/** @throws ProcedureError E_ROUTER when it is none whose upstreams could be set */
export function parseHandler(text: string, id: string): Handler {
  const parsed = handlerSchema.safeParse(json(text));
  if (!parsed.success || parsed.data.handler !== 'reverse_proxy') {
    throw unusable(`"@id": "${id}" is no reverse_proxy handler`, 'Give the handler itself the "@id", not its route.');
  }
  if (parsed.data.dynamic_upstreams != null) {
    throw unusable(
      `"@id": "${id}" has dynamic_upstreams: it finds the containers by itself`,
      'Use router: discovery for it, or give it upstreams.',
    );
  }
  return parsed.data;
}

/** @returns requests in flight by the address that is dialled; of `/reverse_proxy/upstreams` */
export function parseCounts(text: string): ReadonlyMap<string, number> {
  const parsed = countsSchema.safeParse(json(text));
  if (!parsed.success) throw unusable('it does not say what is in flight', 'Update Caddy to 2.6 or newer.');
  return new Map(parsed.data.map(({ address, num_requests }) => [address, num_requests]));
}

/**
 * Caddy forgets how many requests an upstream has in flight as soon as no handler names it (measured, 2.6.2). So those that
 * get no more requests are named by a handler that is never reached: one for an answer that no server gives.
 */
const NEVER = { status_code: [999] };
const keeperId = (id: string): string => `rr-draining-${id}`;

/** @returns what the handler does now */
export function upstreamsOf(handler: Handler, id: string): Upstreams {
  const keeper = handler.handle_response?.find((one) => isKeeper(one, id));
  const parsed = keeperSchema.safeParse(keeper);
  return {
    serving: handler.upstreams ?? [],
    kept: parsed.success ? parsed.data.routes.flatMap(({ handle }) => handle.flatMap((one) => one.upstreams)) : [],
  };
}

const keeperSchema = z.looseObject({
  routes: z.array(z.looseObject({ handle: z.array(z.looseObject({ upstreams: z.array(upstreamSchema) })) })),
});

function isKeeper(one: unknown, id: string): boolean {
  return JSON.stringify(one).includes(JSON.stringify(keeperId(id)));
}

/** @returns the same handler with these upstreams, and nothing else changed */
export function withUpstreams(handler: Handler, id: string, { serving, kept }: Upstreams): Handler {
  const own = (handler.handle_response ?? []).filter((one) => !isKeeper(one, id));
  const keeper = {
    match: NEVER,
    routes: [{ handle: [{ '@id': keeperId(id), handler: 'reverse_proxy', upstreams: kept }] }],
  };
  const responses = kept.length === 0 ? own : [...own, keeper];
  const told = { ...handler, upstreams: [...serving], handle_response: responses };
  // As it was before: an empty list that was not there would be a change that lasts.
  return responses.length > 0 ? told : { ...told, handle_response: undefined };
}

/**
 * @param now what the handler does
 * @param serving addresses that get the requests from now on
 * @param drained addresses of containers that are there and get none
 */
export function changing(now: Upstreams, serving: readonly string[], drained: readonly string[]): Upstreams {
  const known = [...now.serving, ...now.kept];
  const [like = { dial: '' }] = known;
  const of = (dial: string): Upstream => known.find((one) => one.dial === dial) ?? { ...like, dial };
  const left = known.map(({ dial }) => dial).concat(drained);
  return {
    serving: [...new Set(serving)].sort().map(of),
    kept: [...new Set(left)]
      .filter((dial) => !serving.includes(dial))
      .sort()
      .map(of),
  };
}

/** A container that serves: where it is dialled, and the names that lead to it. */
export interface Served {
  readonly dial: string;
  readonly names: readonly string[];
}

/**
 * @param said what the policy says is dialled between changes
 * @returns nothing changes any more: by name, as before the change, where the names lead to exactly these; otherwise by address
 */
export function settled(now: Upstreams, served: readonly Served[], said: string | undefined): Upstreams {
  const all = [...now.serving, ...now.kept];
  const like = all[0] ?? { dial: '' };
  const named = served.flatMap(({ names }) => names);
  const before = all.filter(({ dial }) => named.includes(hostOf(dial)));
  const wanted = said === undefined ? before : [all.find(({ dial }) => dial === said) ?? { ...like, dial: said }];
  const hosts = wanted.map(({ dial }) => hostOf(dial));
  const leads = hosts.length > 0 && hosts.every((host) => named.includes(host));
  if (leads && served.every(({ names }) => names.some((name) => hosts.includes(name)))) {
    return { serving: wanted, kept: [] };
  }
  const addresses = served.map(({ dial }) => dial);
  return { ...changing(now, addresses, []), kept: [] };
}

/** `app:3000` → `app` */
export function hostOf(dial: string): string {
  return dial.replace(/^[a-z0-9]+\//, '').replace(/:\d+$/, '');
}

export function isSame(one: Upstreams, other: Upstreams): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unusable(what: string, next: string): ProcedureError {
  return new ProcedureError('E_ROUTER', `Caddy cannot be told where the service is: ${what}`, {
    next: `${next} docs/routers.md has a configuration to copy. Nothing was changed.`,
  });
}
