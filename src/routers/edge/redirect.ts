import type { EdgePort, EdgeSpec } from '../../model/edge.js';
import { ProcedureError } from '../../model/errors.js';
import type { ExecResult } from '../../model/ports/engine.js';
import type { OwnContainers } from '../../model/ports/own-containers.js';
import type { Of } from './names.js';

/**
 * Sends new connections to a published port elsewhere for some seconds, with the host's own iptables. It is run from a
 * container with the host's network and file system, so that a runner without root, or in a container, can do it, and no
 * other image is needed.
 */

/** A port of the host, and the port that what comes to it goes to instead. */
export interface Redirection extends Pick<EdgePort, 'published' | 'hostIp'> {
  readonly to: number;
}

const TOOL_MS = 30_000;
/** Seconds to wait for the lock that the engine takes for its own rules. */
const IPTABLES = 'iptables -w 10 -t nat';
const IP6TABLES = 'ip6tables -w 10 -t nat';
const CHAINS = ['PREROUTING', 'OUTPUT'] as const;

export const commentOf = ({ project, service }: Of): string => `rolling-restart:${project}/${service}`;

/** @returns the script that puts the rules in; nothing is put in twice */
export function insertScript(of: Of, redirections: readonly Redirection[]): string {
  const lines = redirections.flatMap((one) => {
    const { v4, v6 } = families(one.hostIp);
    return CHAINS.flatMap((chain) => [
      ...(v4 ? [insert(IPTABLES, chain, ruleOf(of, one))] : []),
      // A host without IPv6, or without NAT for it, has no client that could come that way.
      ...(v6 ? [`(${insert(IP6TABLES, chain, ruleOf(of, one))}) 2>/dev/null || true`] : []),
    ]);
  });
  return ['set -e', ...lines].join('\n');
}

/** @returns the script that takes every rule of the service away, however it got there */
export function deleteScript(of: Of): string {
  const find = `grep -E -- ${quote(`${escapeRegex(commentOf(of))}"? `)}`;
  return [IPTABLES, IP6TABLES]
    .flatMap((command) =>
      CHAINS.map((chain) => `${command} -S ${chain} 2>/dev/null | ${find} | sed 's/^-A/-D/' | xargs -r -L1 ${command}`),
    )
    .concat(countScript(of))
    .join('\n');
}

/** @returns the script that prints how many rules of the service there are */
export function countScript(of: Of): string {
  const find = `grep -cE -- ${quote(`${escapeRegex(commentOf(of))}"? `)}`;
  return `(${IPTABLES} -S; ${IP6TABLES} -S) 2>/dev/null | ${find} || true`;
}

/**
 * @returns the script that tells why ports cannot be redirected, or prints nothing. It makes a chain that nothing leads to,
 * to see that the kernel takes such a rule.
 */
export function probeScript(of: Of, ports: readonly Pick<EdgePort, 'published'>[]): string {
  const listening = ports.map(
    ({ published }) =>
      // State 0A is LISTEN (proc_net_tcp). Without it nothing on the host would take what is redirected either.
      `grep -qi ':${Number(published).toString(16).padStart(4, '0')} [0-9A-F]*:0000 0A' /proc/net/tcp /proc/net/tcp6 2>/dev/null || fail ${quote(
        `nothing on the host itself listens on port ${published}: the engine runs without its userland proxy`,
      )}`,
  );
  const rule = ruleOf(of, { published: '1', hostIp: undefined, to: 2 });
  return [
    'fail() { echo "$1"; exit 0; }',
    `command -v iptables >/dev/null || fail 'the host has no iptables'`,
    `read -r inside outside size < /proc/self/uid_map; [ "$outside" = 0 ] || fail 'the engine is rootless'`,
    ...listening,
    `chain=rr-probe-$$`,
    `said=$( { ${IPTABLES} -N "$chain" && ${IPTABLES} -A "$chain" ${rule}; } 2>&1 ) || said="iptables refuses: $said"`,
    `${IPTABLES} -F "$chain" 2>/dev/null; ${IPTABLES} -X "$chain" 2>/dev/null`,
    'case "$said" in "iptables refuses"*) echo "$said" ;; esac',
  ].join('\n');
}

/** Runs a script as root on the host, in its network and its file system. */
export async function onHost(own: OwnContainers, image: string, of: Of, script: string): Promise<ExecResult> {
  // Debian keeps iptables where only root's own shell looks.
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH';
  return own.runTool({
    image,
    command: ['chroot', '/host', '/bin/sh', '-c', `${path}\n${script}`],
    networkMode: 'host',
    user: '0',
    // Writable, for the lock of iptables.
    binds: ['/:/host'],
    capabilities: ['NET_ADMIN', 'NET_RAW', 'SYS_CHROOT'],
    helper: { work: 'iptables', project: of.project, service: of.service },
    timeoutMs: TOOL_MS,
  });
}

/** @returns why the host cannot do it; undefined when it can */
export async function redirectProblem(own: OwnContainers, spec: EdgeSpec): Promise<string | undefined> {
  const range = spec.ports.find(({ published }) => !/^\d+$/.test(published));
  if (range !== undefined) return `the port ${range.published} is a range`;
  try {
    const { exitCode, output } = await onHost(own, spec.image, spec, probeScript(spec, spec.ports));
    const said = output.trim().split('\n').at(-1) ?? '';
    if (exitCode !== 0) return `the host cannot be looked at (${said || `exit code ${exitCode}`})`;
    return said === '' ? undefined : said;
  } catch (error) {
    if (!(error instanceof ProcedureError)) throw error;
    return `no container with the host's network can be run (${error.message})`;
  }
}

function insert(command: string, chain: string, rule: string): string {
  return `${command} -C ${chain} ${rule} 2>/dev/null || ${command} -I ${chain} 1 ${rule}`;
}

function ruleOf(of: Of, { published, hostIp, to }: Redirection): string {
  const anywhere = hostIp === undefined || ['', '0.0.0.0', '::'].includes(hostIp);
  return [
    '-p tcp',
    ...(anywhere ? [] : [`-d ${quote(hostIp)}`]),
    `--dport ${Number(published)}`,
    '-m addrtype --dst-type LOCAL',
    `-m comment --comment ${quote(commentOf(of))}`,
    `-j REDIRECT --to-ports ${to}`,
  ].join(' ');
}

/** The families that a port is published for: without an address, both. */
function families(hostIp: string | undefined): { readonly v4: boolean; readonly v6: boolean } {
  if (hostIp === undefined || hostIp === '') return { v4: true, v6: true };
  return hostIp.includes(':') ? { v4: false, v6: true } : { v4: true, v6: false };
}

const quote = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;
const escapeRegex = (value: string): string => value.replace(/[.*+?^${}()|[\]\\/]/g, '[$&]').replaceAll('[^]', '\\^');
