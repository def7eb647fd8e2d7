import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { ProcedureError } from '../model/errors.js';
import { formatDuration } from '../model/units.js';
import { reasonIn, type DockerCli } from './compose-cli.js';

interface Transfer {
  readonly reference: string;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Pulls with the CLI: it has the user's registry credentials and credential helpers. */
export async function pullImage(cli: DockerCli, options: Transfer): Promise<void> {
  const { reference, ...call } = options;
  await cli.demand({
    ...call,
    args: ['pull', '--', requireReference(reference)],
    title: `docker pull ${reference}`,
    code: 'E_PULL',
    next: 'Look whether the name is right and this user is logged in (docker login). Nothing that runs was touched.',
  });
}

/** Pushes with the CLI, for the same reason. */
export async function pushImage(cli: DockerCli, options: Transfer): Promise<void> {
  const { reference, ...call } = options;
  await cli.demand({
    ...call,
    args: ['push', '--', requireReference(reference)],
    title: `docker push ${reference}`,
    code: 'E_PUSH',
    next: 'Look whether push-to is right and this user may push there (docker login). Nothing that runs was touched.',
  });
}

/**
 * Asks the registry for the manifest of an image: 0.03 s for one on this host (measured). The CLI does not know which
 * registries the engine takes over plain HTTP, and says "no such manifest" of an image in such a one (measured, 28.2),
 * so the engine is asked before that is believed.
 * @returns what is wrong, or undefined
 */
export async function registryProblem(
  cli: DockerCli,
  reference: string,
  timeoutMs: number,
): Promise<string | undefined> {
  requireReference(reference);
  const endsAt = Date.now() + timeoutMs;
  const ask = (flags: readonly string[]) =>
    cli.run({
      args: ['manifest', 'inspect', ...flags, '--', reference],
      timeoutMs: Math.max(1, endsAt - Date.now()),
      title: 'docker manifest inspect',
    });
  try {
    let result = await ask([]);
    if (result.exitCode !== 0 && (await isInsecure(cli, reference))) result = await ask(['--insecure']);
    if (result.exitCode === 0) return undefined;
    return `the registry does not give ${reference}: ${reasonIn(result.stderr)}`;
  } catch (error) {
    if (!(error instanceof ProcedureError) || error.code !== 'E_DEADLINE') throw error;
    return `the registry of ${reference} did not answer within ${formatDuration(timeoutMs)}`;
  }
}

const registryConfig = z.object({
  IndexConfigs: z.record(z.string(), z.looseObject({ Secure: z.boolean() })).nullish(),
  InsecureRegistryCIDRs: z.array(z.string()).nullish(),
});

/** @returns whether the engine pulls from the image's registry without TLS where there is none */
async function isInsecure(cli: DockerCli, reference: string): Promise<boolean> {
  const host = reference.includes('/') ? (reference.split('/')[0] ?? '') : '';
  const result = await cli.run({
    args: ['info', '--format', '{{json .RegistryConfig}}'],
    title: 'docker info',
    timeoutMs: 20_000,
  });
  const parsed = registryConfig.safeParse(result.exitCode === 0 ? JSON.parse(result.stdout) : {});
  const { IndexConfigs: named, InsecureRegistryCIDRs: ranges } = parsed.data ?? {};
  if (named?.[host]?.Secure === false) return true;
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || (ranges ?? []).some((range) => isWithin(name, range));
}

/** @returns whether an IPv4 address is within a range such as `10.0.0.0/8`; anything else is not */
export function isWithin(address: string, range: string): boolean {
  const [base = '', bits = ''] = range.split('/');
  if (isIP(address) !== 4 || isIP(base) !== 4) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits));
  return list.check(address);
}

function requireReference(reference: string): string {
  if (/^[\w[]\S*$/.test(reference)) return reference;
  throw new ProcedureError('E_PULL', `"${reference}" is not the name of an image`, {
    next: 'Write it like registry.example.com/team/app:1.2.3. Nothing was changed.',
  });
}
