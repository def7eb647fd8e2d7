import * as z from 'zod';
import { CONSISTENCIES } from '../model/backup-policy.js';
import type { DataPlace } from '../model/backup.js';
import type { EdgeSpec } from '../model/edge.js';
import type { PortHolder } from '../model/remedies.js';
import type { ContainerSet, RouterSpec, Serve } from '../model/router.js';
import { maybe } from './definition.js';

/** Fields that several operations have. Types of the model are checked against their schemas by the compiler. */

export const text = z.string();
export const ms = z.number().describe('milliseconds');
export const strings = z.array(text).readonly();

/** The model writes `field: T | undefined`; JSON leaves the field out. */
const orUndefined = <T extends z.ZodType>(schema: T) => schema.optional().transform((value) => value);

export const router: z.ZodType<RouterSpec> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('edge') }),
  z.object({
    kind: z.literal('haproxy'),
    socket: text,
    backend: text,
    port: orUndefined(z.number()),
    network: orUndefined(text),
    options: orUndefined(text),
  }),
  z.object({
    kind: z.literal('caddy'),
    admin: text,
    id: text,
    port: orUndefined(z.number()),
    network: orUndefined(text),
    dial: orUndefined(text),
  }),
  z.object({
    kind: z.literal('discovery'),
    settleMs: ms,
    drainCommand: orUndefined(text),
    resumeCommand: orUndefined(text),
  }),
  z.object({ kind: z.literal('none') }),
]);

export const serve: z.ZodType<Serve> = z.discriminatedUnion('who', [
  z.object({ who: z.literal('only'), containers: strings }),
  z.object({ who: z.literal('all-but'), containers: strings }),
  z.object({ who: z.literal('new'), old: strings, percent: z.number() }),
]);

export const containerSet: z.ZodType<ContainerSet> = z.discriminatedUnion('are', [
  z.object({ are: z.literal('these'), containers: strings }),
  z.object({ are: z.literal('others'), than: strings }),
]);

export const edge: z.ZodType<EdgeSpec> = z.object({
  project: text,
  service: text,
  image: text,
  ports: z.array(
    z.object({
      target: z.number(),
      published: text,
      hostIp: orUndefined(text),
      mode: z.enum(['http', 'tcp']),
      proxyProtocol: z.boolean(),
    }),
  ),
  networks: z.array(z.object({ name: text, aliases: strings })),
});

export const portHolder: z.ZodType<PortHolder> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('process'),
    pid: z.number(),
    name: text,
    started: text.describe('clock ticks since the boot'),
  }),
  z.object({ kind: z.literal('container'), id: text, name: text }),
]);

const place: z.ZodType<DataPlace> = z.object({
  name: text,
  kind: z.enum(['volume', 'bind']),
  source: text,
  target: text,
});
export const places = z.array(place).readonly();

export const consistency = z.enum(CONSISTENCIES);

/** Containers of the service that are not meant. */
export const except = maybe(strings.describe('containers of the service that are not meant'));

/** What keeps data from changing, and lets it change again. */
export const freeze = {
  service: text,
  how: consistency,
  /** Those that are paused or stopped; for a command those that it is about. */
  containers: strings,
  /** Run on the host with `quiesce`: it makes the service write everything down and stand still. */
  quiesceCommand: maybe(text),
  resumeCommand: maybe(text),
};

export const backup = { service: text, backup: text, /** Folder of the backup on the host. */ folder: text };
