/** The managed edge of one service: what it listens on, what it is on the compose networks, and from which image. */
export interface EdgeSpec {
  readonly project: string;
  readonly service: string;
  /** Image with HAProxy 3.0 or newer. */
  readonly image: string;
  readonly ports: readonly EdgePort[];
  /** Networks of the service by the engine's name for them, and the names it has there besides the service's own. */
  readonly networks: readonly { readonly name: string; readonly aliases: readonly string[] }[];
}

/** A published port of the service that the edge has instead of it. */
export interface EdgePort {
  /** Port of the service's containers. */
  readonly target: number;
  /** Port of the host as the compose file writes it. */
  readonly published: string;
  readonly hostIp: string | undefined;
  readonly mode: 'http' | 'tcp';
  /** Sends the PROXY protocol's header (version 2) to the container, so that it sees the client's address. */
  readonly proxyProtocol: boolean;
}

/** How far an edge is installed, as the engine shows it. */
export interface EdgeState {
  readonly spec: EdgeSpec;
  /** It has the published ports: requests come through it. */
  readonly open: boolean;
  /** The container that bridges the take-over, and a redirect to it, are there. */
  readonly takeover: boolean;
  readonly redirected: boolean;
  /** Ports of the host that lead to it now. */
  readonly hostPorts: readonly number[];
  /** Networks of the service that it is not on, though it runs: they were removed, or it was taken from them. */
  readonly networksLost: readonly string[];
  /** Networks of the service that the engine does not have any more. */
  readonly networksGone: readonly string[];
}

/** @returns whether it has all of its ports and is on all of its networks, and no take-over is left */
export function isInOrder({ open, takeover, spec, hostPorts, networksLost }: EdgeState): boolean {
  const closed = spec.ports.filter(
    ({ published }) => /^\d+$/.test(published) && !hostPorts.includes(Number(published)),
  );
  return open && !takeover && closed.length === 0 && networksLost.length === 0;
}

/** An edge that is there and of another image than the one that is asked for. */
export interface EdgeUpgrade {
  readonly service: string;
  readonly has: string;
  readonly wanted: string;
  /** Why the host cannot redirect the ports meanwhile; undefined when it can. */
  readonly redirectProblem: string | undefined;
}
