/**
 * What says that a container is ready, where its own health check does not, or beside it: input `readiness` and a
 * service's `readiness` in `x-rolling-restart:`.
 */
export type ReadinessSignal =
  /** A GET of a path is answered with 200 to 399. */
  | { readonly kind: 'http'; readonly tls: boolean; readonly port: number; readonly path: string }
  /** A port accepts connections. */
  | { readonly kind: 'tcp'; readonly port: number }
  /** A shell command ends with 0 inside the container. */
  | { readonly kind: 'command'; readonly command: string };

/** The accepted forms, for a message to a person. */
export const READINESS_FORMS = 'http://:3000/health, tcp://:3000, or a command that runs in the container';

/**
 * Reads `http://:3000/health`, `https://:8443/`, `tcp://:3000` or a command.
 * @returns the signal, or what is wrong with the text
 */
export function parseReadiness(text: string): ReadinessSignal | { readonly problem: string } {
  const written = text.trim();
  const url = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(written);
  if (url === null) {
    return written === '' ? problem(text, 'is empty') : { kind: 'command', command: written };
  }
  const [, scheme = '', rest = ''] = url;
  const parts = /^:(\d{1,5})(\/[^\s#]*)?$/.exec(rest);
  const port = Number(parts?.[1]);
  const path = parts?.[2];
  switch (scheme.toLowerCase()) {
    case 'http':
    case 'https':
      if (parts === null) return problem(text, 'names a host, or no port; each container is asked at its own address');
      if (port < 1 || port > 65_535) return problem(text, 'has a port that there is not');
      return { kind: 'http', tls: scheme.toLowerCase() === 'https', port, path: path ?? '/' };
    case 'tcp':
      if (parts === null || path !== undefined) return problem(text, 'is no port alone');
      if (port < 1 || port > 65_535) return problem(text, 'has a port that there is not');
      return { kind: 'tcp', port };
    default:
      return problem(text, `begins with ${scheme}://`);
  }
}

/** @returns the signal as it is written */
export function describeReadiness(signal: ReadinessSignal): string {
  switch (signal.kind) {
    case 'http':
      return `${signal.tls ? 'https' : 'http'}://:${signal.port}${signal.path}`;
    case 'tcp':
      return `tcp://:${signal.port}`;
    case 'command':
      return signal.command;
  }
}

function problem(text: string, what: string): { readonly problem: string } {
  return { problem: `"${text.trim()}" ${what}; write it like ${READINESS_FORMS}` };
}
