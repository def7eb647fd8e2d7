/** A compose file for fixture `plain`: one service `app` that is published and has a health check. */

export interface Served {
  /** Image instead of a build. */
  readonly image?: string;
  /** Environment of the container; values may hold `${…}`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** More lines of the service, indented by four. */
  readonly more?: string;
}

/** @returns the text of `compose.yaml` */
export function served({ image, environment = {}, more = '' }: Served = {}): string {
  const source =
    image === undefined
      ? '    build:\n      context: .\n      args:\n        BASE_IMAGE: ${BASE_IMAGE:-node:22-alpine}\n'
      : `    image: ${image}\n`;
  const entries = Object.entries(environment).map(([name, value]) => `      ${name}: "${value}"\n`);
  return `services:
  app:
${source}    ports:
      - '\${HOST_PORT:-0}:8080'
${entries.length === 0 ? '' : `    environment:\n${entries.join('')}`}    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
      timeout: 3s
      start_period: 1s
      retries: 3
    restart: unless-stopped
    stop_grace_period: 2s
${more}`;
}
