import type { EdgePort, EdgeSpec } from '../../model/edge.js';
import { LUA_FILE, RUNTIME_PORT } from './names.js';

/** Enough for 50 replicas and as many new ones beside them, and some that have not been used yet. */
export const SLOTS = 128;
const MARK = '# rolling-restart: ';

/** What an edge does now: everything that its file is made from besides the spec. */
export interface EdgeSetting {
  readonly servers: readonly SlotServer[];
  readonly hold: { readonly maxMs: number; readonly maxQueue: number } | undefined;
}

/** A container in a slot. It has the same slot for each port. */
export interface SlotServer {
  /** From 1. */
  readonly slot: number;
  /** First twelve digits of the container's id: a name in the DNS of each user-defined network it is in. */
  readonly container: string;
  /** 0: drained. */
  readonly weight: number;
}

export const EMPTY_SETTING: EdgeSetting = { servers: [], hold: undefined };

/** A port of the containers, however often it is published. */
export interface EdgeRoute extends Pick<EdgePort, 'target' | 'mode' | 'proxyProtocol'> {
  readonly backend: string;
  /** Published on loopback addresses only: whoever comes is a proxy on this host, whose X-Forwarded-For counts. */
  readonly loopbackOnly: boolean;
}

export function routesOf(spec: Pick<EdgeSpec, 'ports'>): readonly EdgeRoute[] {
  const targets = [...new Set(spec.ports.map(({ target }) => target))];
  return targets.flatMap((target) => {
    const ports = spec.ports.filter((port) => port.target === target);
    const [first] = ports;
    if (first === undefined) return [];
    return [
      {
        target,
        mode: first.mode,
        proxyProtocol: first.proxyProtocol,
        backend: backendOf(target),
        loopbackOnly: ports.every(({ hostIp }) => hostIp !== undefined && /^(127\.|::1$)/.test(hostIp)),
      },
    ];
  });
}

export const backendOf = (target: number): string => `port-${target}`;
export const slotName = (slot: number): string => `s${slot}`;

/**
 * HAProxy's whole configuration. It always describes the live set, by names that the engine's DNS follows: after a restart
 * of the edge, of the engine or of the host the right containers are found, whatever their addresses are then.
 * @param options.ipv6 a network of the edge has IPv6
 */
export function renderConfig(spec: EdgeSpec, setting: EdgeSetting, options: { readonly ipv6: boolean }): string {
  const { hold } = setting;
  return [
    `${MARK}${JSON.stringify(setting)}`,
    `# Written by Rolling Restart for ${spec.service} of ${spec.project}. It is written anew at each change.`,
    'global',
    // The limit of files is the engine's, and can be a thousand million: HAProxy allocates by it.
    '  fd-hard-limit 100000',
    '  tune.bufsize 32768',
    '  tune.http.maxhdr 256',
    `  stats socket ipv4@127.0.0.1:${RUNTIME_PORT} level admin`,
    `  lua-load ${LUA_FILE} ${hold?.maxMs ?? 0} ${hold?.maxQueue ?? 0}`,
    '',
    // The DNS of user-defined networks (docs.docker.com/engine/network). A name that is gone is in no hurry to come back,
    // one that has moved is followed within a second.
    'resolvers docker',
    '  nameserver engine 127.0.0.11:53',
    '  resolve_retries 2',
    '  timeout resolve 500ms',
    '  timeout retry 200ms',
    '  hold valid 500ms',
    '  hold obsolete 0s',
    '  hold nx 2s',
    // An engine that restarts beneath running containers answers nothing for a while: what was known holds.
    '  hold timeout 1h',
    '  hold refused 1h',
    '  hold other 1h',
    '',
    ...DEFAULTS,
    ...routesOf(spec).flatMap((route) => ['', ...frontend(route, options), '', ...backend(route, setting)]),
    '',
  ].join('\n');
}

/** @returns what the file was made from; undefined when it is not one of ours */
export function parseSetting(config: string): EdgeSetting | undefined {
  const line = config.split('\n').find((one) => one.startsWith(MARK));
  if (line === undefined) return undefined;
  try {
    return JSON.parse(line.slice(MARK.length)) as EdgeSetting;
  } catch {
    return undefined;
  }
}

/**
 * Times are long: a direct connection has none. What does end is a connection attempt, which is repeated on another
 * container, and a connection whose other side is gone (keep-alive probes of TCP). Only attempts are repeated: a request
 * that was sent never is.
 */
const DEFAULTS = [
  'defaults',
  '  timeout connect 1s',
  '  timeout client 7d',
  '  timeout server 7d',
  '  timeout tunnel 7d',
  '  timeout queue 10s',
  '  timeout client-fin 1m',
  '  timeout server-fin 1m',
  '  retries 3',
  '  retry-on conn-failure',
  '  option redispatch 1',
  '  option clitcpka',
  '  option srvtcpka',
] as const;

function frontend(route: EdgeRoute, { ipv6 }: { readonly ipv6: boolean }): readonly string[] {
  const { target, mode, backend: name } = route;
  const empty = `{ nbsrv(${name}) eq 0 }`;
  const bind = [`  bind :${target}`, ...(ipv6 ? [`  bind [::]:${target} v6only`] : [])];
  if (mode === 'tcp') {
    return [
      `frontend ${name}`,
      '  mode tcp',
      ...bind,
      // Only what waits needs the time; the longest that `hold` allows is less.
      '  tcp-request inspect-delay 1h',
      `  tcp-request content lua.hold ${name} if ${empty}`,
      '  tcp-request content reject if { var(txn.held) -m found }',
      `  default_backend ${name}`,
    ];
  }
  return [
    `frontend ${name}`,
    '  mode http',
    ...bind,
    // When the edge ends, a client that keeps its connection is told so with its next answer.
    '  option idle-close-on-response',
    // A client could claim any address.
    ...(route.loopbackOnly ? [] : ['  http-request del-header X-Forwarded-For']),
    '  option forwardfor',
    `  http-request lua.hold ${name} if ${empty}`,
    '  http-request return status 503 hdr Retry-After 2 content-type text/plain string "Not now" if { var(txn.held) -m found }',
    `  default_backend ${name}`,
  ];
}

function backend(route: EdgeRoute, { servers }: EdgeSetting): readonly string[] {
  const { target, mode, backend: name, proxyProtocol } = route;
  const proxy = proxyProtocol ? ' send-proxy-v2 check-send-proxy' : '';
  const slots = Array.from({ length: SLOTS }, (_, index) => {
    const server = servers.find(({ slot }) => slot === index + 1);
    return server === undefined
      ? `  server ${slotName(index + 1)} 0.0.0.0:${target} disabled`
      : `  server ${slotName(index + 1)} ${server.container}:${target} weight ${server.weight}`;
  });
  return [
    `backend ${name}`,
    `  mode ${mode}`,
    '  balance roundrobin',
    // A container that dies is taken out, by whether its port takes connections: what health is, readiness has asked.
    `  default-server check inter 2s fastinter 300ms downinter 500ms fall 3 rise 1 resolvers docker init-addr none resolve-prefer ipv4 resolve-opts allow-dup-ip${proxy}`,
    ...slots,
  ];
}
