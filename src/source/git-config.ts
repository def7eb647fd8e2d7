/** One setting for one run of git. The value may be a secret. */
export interface ConfigPair {
  readonly key: string;
  readonly value: string;
}

/**
 * Settings as environment variables (git-config(1), GIT_CONFIG_COUNT; git 2.31): unlike `-c` they do not show in the
 * process list. Those that the environment has already stay.
 */
export function configuration(
  environment: Readonly<Record<string, string | undefined>>,
  pairs: readonly ConfigPair[],
): Record<string, string> {
  if (pairs.length === 0) return {};
  const first = Number(environment['GIT_CONFIG_COUNT'] ?? 0) || 0;
  return Object.fromEntries([
    ...pairs.flatMap(({ key, value }, index) => [
      [`GIT_CONFIG_KEY_${first + index}`, key],
      [`GIT_CONFIG_VALUE_${first + index}`, value],
    ]),
    ['GIT_CONFIG_COUNT', String(first + pairs.length)],
  ]) as Record<string, string>;
}

/**
 * How git logs in to the server of the origin, and to that alone: with the token as GitHub takes it (the way of
 * actions/checkout), or with the password that the origin's address carries. git hands that address to a child of its own as
 * an argument, which everybody on the host sees: it is replaced by one without the password.
 *
 * The empty value first takes away headers that the checkout's own configuration has: actions/checkout leaves an
 * expired one there, and two make the server refuse both.
 */
export function loginConfiguration(origin: string | undefined, token: string | undefined): readonly ConfigPair[] {
  const url = origin === undefined ? undefined : parseHttp(origin);
  if (origin === undefined || url === undefined) return [];
  const own = url.password !== '';
  if (!own && (token === undefined || token === '')) return [];
  const login = own ? `${decoded(url.username)}:${decoded(url.password)}` : `x-access-token:${token ?? ''}`;
  const key = `http.${url.protocol}//${url.host}/.extraheader`;
  return [
    { key, value: '' },
    { key, value: `AUTHORIZATION: basic ${Buffer.from(login).toString('base64')}` },
    ...(own ? [{ key: `url.${withoutCredentials(origin)}.insteadOf`, value: origin }] : []),
  ];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @returns the URL without user name and password */
export function withoutCredentials(origin: string): string {
  const url = parseHttp(origin);
  if (url === undefined || (url.username === '' && url.password === '')) return origin;
  url.username = '';
  url.password = '';
  return url.href;
}

/** @returns the text without the secrets of the settings and without credentials in URLs */
export function hideCredentials(text: string, pairs: readonly ConfigPair[]): string {
  let hidden = text.replaceAll(/(https?:\/\/)[^/@\s]+@/g, '$1***@');
  for (const { value } of pairs) {
    const basic = /basic (\S+)$/.exec(value)?.[1];
    if (basic === undefined) continue;
    const token = Buffer.from(basic, 'base64')
      .toString()
      .replace(/^[^:]*:/, '');
    hidden = hidden.replaceAll(basic, '***').replaceAll(token, '***');
  }
  return hidden;
}

function parseHttp(origin: string): URL | undefined {
  if (!/^https?:\/\//i.test(origin)) return undefined;
  return URL.canParse(origin) ? new URL(origin) : undefined;
}
