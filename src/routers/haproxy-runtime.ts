import { ProcedureError } from '../model/errors.js';

/**
 * HAProxy's Runtime API, over whatever carries it: commands in, the whole answer out. The commands of one call go in
 * order on one connection, so that nothing comes between them (management guide, 9.3: they are joined with `;`).
 */
export type RuntimeTransport = (commands: readonly string[]) => Promise<string>;

/** A line of `show servers state` (management guide). */
export interface ServerState {
  readonly backend: string;
  readonly name: string;
  /** Undefined while none is known. */
  readonly address: string | undefined;
  readonly port: number;
  readonly fqdn: string | undefined;
  /** The server takes new requests: it is up, in no kind of maintenance, not drained, and has a weight. */
  readonly usable: boolean;
  /** As far as those who administrate it are concerned: whatever its health is. */
  readonly admin: 'ready' | 'drain' | 'maint';
  /** Its name has no address, so it is in maintenance until it has one. */
  readonly unresolved: boolean;
  readonly weight: number;
  /** Its last health check passed; false as well when it has none. */
  readonly checked: boolean;
}

/** A line of `show servers conn`. */
export interface ServerConnections {
  readonly backend: string;
  readonly name: string;
  /** Connections with a request or a stream on them; idle ones that are kept for the next request are not in it. */
  readonly used: number;
  readonly idle: number;
}

/** What is counted for one server since HAProxy started, or since its counters were cleared. */
export interface ServerCounters {
  readonly backend: string;
  readonly name: string;
  /** Requests (mode http) or connections (mode tcp) that it was chosen for. */
  readonly requests: number;
  /** Answers 5xx (mode http only). */
  readonly errors5xx: number;
  /** Connections that could not be made, and answers that broke off. */
  readonly connectionErrors: number;
  /** Average of the last 1024 in milliseconds: total time of a request; undefined before the first. */
  readonly averageMs: number | undefined;
  /** Gets requests only when no other server can. */
  readonly backup: boolean;
  /** What its last health check found, such as `L7STS 503` or `L4TOUT`; undefined without one. */
  readonly lastCheck: string | undefined;
}

/** srv_op_state 2: running (3 is a soft stop). */
const RUNNING = 2;
/** srv_check_result 3: passed; 4 is the same with a condition (`enum chk_result` in HAProxy's check-t.h). */
const PASSED = 3;
/**
 * Bits of srv_admin_state (`enum srv_admin` in HAProxy's server-t.h). 0x04 only says that the file has it `disabled`: it
 * stays when the server is made ready (measured, 3.0.11).
 */
const MAINTENANCE = 0x01 | 0x02;
const NO_ADDRESS = 0x20;
const DRAINING = 0x08 | 0x10;

/** @returns servers of `show servers state BACKEND` @throws ProcedureError E_ROUTER for anything else */
export function parseServersState(text: string): readonly ServerState[] {
  return table(text, 'srv_name').map((row) => {
    const admin = number(row['srv_admin_state']);
    const weight = number(row['srv_uweight']);
    const state = (admin & MAINTENANCE) !== 0 ? 'maint' : (admin & DRAINING) !== 0 || weight === 0 ? 'drain' : 'ready';
    const unresolved = (admin & NO_ADDRESS) !== 0;
    return {
      backend: row['be_name'] ?? '',
      name: row['srv_name'] ?? '',
      address: known(row['srv_addr']),
      port: number(row['srv_port']),
      fqdn: known(row['srv_fqdn']),
      usable: state === 'ready' && !unresolved && number(row['srv_op_state']) === RUNNING,
      admin: state,
      unresolved,
      weight,
      checked: number(row['srv_check_result']) >= PASSED,
    };
  });
}

/** @returns servers of `show servers conn BACKEND` @throws ProcedureError E_ROUTER for anything else */
export function parseServersConn(text: string): readonly ServerConnections[] {
  return table(text, 'bkname/svname').map((row) => {
    // A backend's name has no slash in it (configuration manual, 2.1).
    const [backend = '', ...name] = (row['bkname/svname'] ?? '').split('/');
    return { backend, name: name.join('/'), used: number(row['used_cur']), idle: number(row['idle_cur']) };
  });
}

/** @returns servers of `show stat BACKEND 4 -1` @throws ProcedureError E_ROUTER for anything else */
export function parseStat(text: string): readonly ServerCounters[] {
  return table(text, 'pxname', ',').map((row) => {
    const http = row['mode'] === 'http';
    const requests = number(row['lbtot']);
    const average = number(http ? row['ttime'] : row['ctime']);
    return {
      backend: row['pxname'] ?? '',
      name: row['svname'] ?? '',
      requests,
      errors5xx: http ? number(row['hrsp_5xx']) : 0,
      connectionErrors: number(row['econ']) + number(row['eresp']),
      averageMs: requests === 0 ? undefined : average,
      backup: number(row['bck']) > 0,
      lastCheck: known(`${row['check_status'] ?? ''} ${row['check_code'] ?? ''}`.trim()),
    };
  });
}

/** @returns the version that `show version` says, such as `3.0.11` @throws ProcedureError E_ROUTER */
export function parseVersion(text: string): string {
  const match = /^(\d+\.\d+(?:\.\d+)?)/m.exec(text.trim());
  if (match?.[1] !== undefined) return match[1];
  throw notUnderstood('show version', text);
}

/** @returns whether it has the counts, waits and drains that a confirmed drain needs (measured: from 3.0 on) */
export function isNewEnough(version: string): boolean {
  return Number(version.split('.')[0]) >= 3;
}

/**
 * What the Runtime API prints when it did what it was told: nothing, or that something changed. It has no exit code, so
 * every other line is a failure.
 */
const DONE = [
  /^$/,
  /^> ?$/,
  /changed its FQDN from/,
  /^(?:IP|port) changed from/,
  /^no need to change/i,
  /^New server registered\.$/,
  /^Server deleted\.$/,
  /^Done\.$/,
];

/** @returns lines that say that a command failed; none when all did what they were told */
export function failuresIn(answer: string): readonly string[] {
  return answer
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !DONE.some((pattern) => pattern.test(line)));
}

/**
 * Gives commands that change something.
 * @throws ProcedureError E_ROUTER with what HAProxy says when one of them failed; those before and after it were done
 */
export async function order(transport: RuntimeTransport, commands: readonly string[]): Promise<void> {
  if (commands.length === 0) return;
  const failures = failuresIn(await transport(commands));
  if (failures.length === 0) return;
  throw new ProcedureError('E_ROUTER', `HAProxy refused a command: ${failures[0] ?? ''}`, {
    next: 'Look whether the backend and its servers are as they were set up; HAProxy’s answer is below.',
    excerpt: [{ title: commands.join('; '), lines: failures }],
  });
}

/** @throws ProcedureError E_ROUTER when there is no such backend */
export async function serversOf(transport: RuntimeTransport, backend: string): Promise<readonly ServerState[]> {
  return parseServersState(await transport([`show servers state ${backend}`]));
}

/** @throws ProcedureError E_ROUTER when there is no such backend */
export async function connectionsOf(
  transport: RuntimeTransport,
  backend: string,
): Promise<readonly ServerConnections[]> {
  return parseServersConn(await transport([`show servers conn ${backend}`]));
}

/** @returns nothing for a backend that has no servers, or is not there */
export async function countersOf(transport: RuntimeTransport, backend: string): Promise<readonly ServerCounters[]> {
  // Of all proxies: asked by name, HAProxy answers for a frontend that has the same name (measured, 3.0.11).
  return parseStat(await transport(['show stat -1 4 -1'])).filter((one) => one.backend === backend);
}

/** Of a line of commands. HAProxy reads one into a buffer (tune.bufsize), and takes nothing that does not fit. */
const LINE_LIMIT = 6_000;

/** @returns the commands in as few lines as fit; those of one line are carried out together */
export function inLines(commands: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const command of commands) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + command.length < LINE_LIMIT) lines[lines.length - 1] = `${last};${command}`;
    else lines.push(command);
  }
  return lines;
}

/** Rows below the line that begins with `#` and names the columns, up to an empty line: another answer may follow. */
function table(text: string, column: string, separator = ' '): readonly Readonly<Record<string, string>>[] {
  const lines = text.split('\n').map((line) => line.trim());
  const header = lines.findIndex((line) => line.startsWith('#') && line.includes(column));
  if (header < 0) throw notUnderstood(column, text);
  const names = (lines[header] ?? '').replace(/^#\s*/, '').split(separator);
  const rows = lines.slice(header + 1);
  const end = rows.indexOf('');
  return rows
    .slice(0, end < 0 ? rows.length : end)
    .map((line) => Object.fromEntries(line.split(separator).map((value, index) => [names[index] ?? '', value])));
}

function number(written: string | undefined): number {
  const value = Number(written ?? 0);
  return Number.isFinite(value) ? value : 0;
}

function known(written: string | undefined): string | undefined {
  return written === undefined || written === '-' || written === '' || written === '0.0.0.0' ? undefined : written;
}

function notUnderstood(what: string, text: string): ProcedureError {
  const said = text.trim();
  return new ProcedureError('E_ROUTER', `HAProxy does not answer as expected: ${said.split('\n')[0] ?? 'nothing'}`, {
    next: 'Look whether the backend of that name exists, and whether the socket has `level admin`.',
    excerpt: [{ title: what, lines: said.split('\n').slice(0, 20) }],
  });
}
