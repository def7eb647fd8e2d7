import type { Request } from './request.js';

interface Secret {
  readonly name: string;
  readonly value: string;
}

/** @returns every value of the request that is never to be written or sent anywhere but where it belongs */
export function secretsOf({ githubToken, fetchToken, revertToken, notifications }: Request): readonly Secret[] {
  const { slackUrl, webhook, email, statusPage } = notifications;
  return [
    ...secret('github-token', githubToken),
    ...secret('fetch-token', fetchToken),
    ...secret('revert-token', revertToken),
    ...addressSecrets('slack-webhook-url', slackUrl),
    ...addressSecrets('webhook-url', webhook?.url),
    ...secret('webhook-secret', webhook?.secret),
    ...mailSecrets(email?.smtpUrl),
    ...pageHeaders(statusPage).flatMap((value) => [
      ...secret('status-page token', value),
      // `Bearer TOKEN`: the token alone as well.
      ...value
        .split(/\s+/)
        .slice(1)
        .flatMap((part) => secret('status-page token', part)),
    ]),
  ];
}

function pageHeaders(statusPage: Request['notifications']['statusPage']): readonly string[] {
  const calls = Object.values(statusPage ?? {});
  return [...new Set(calls.flatMap((call) => Object.values(call?.headers ?? {})))];
}

function secret(name: string, value: string | undefined): readonly Secret[] {
  return value === undefined ? [] : [{ name, value }];
}

/** A short path tells nothing, and hiding `/notify` wherever it stands would hide too much. */
const SHORTEST_PATH = 16;

/** The address of a webhook is its key: also its path alone, which may turn up in an error. */
function addressSecrets(name: string, value: string | undefined): readonly Secret[] {
  if (value === undefined) return [];
  const { pathname, search } = new URL(value);
  const path = `${pathname}${search}`;
  return [...secret(name, value), ...(path.length < SHORTEST_PATH ? [] : secret('webhook secret', path))];
}

/** The password as it is used, which is not as it stands in the address. */
function mailSecrets(value: string | undefined): readonly Secret[] {
  if (value === undefined) return [];
  const { password } = new URL(value);
  if (password === '') return [];
  return [...secret('smtp password', value), ...secret('smtp password', decodeURIComponent(password))];
}
