/**
 * What makes a variable look like a secret, and what is so ordinary that hiding it would only make text unreadable.
 */

/** A value that has to be hidden, by the name of what holds it. */
export interface NamedSecret {
  readonly name: string;
  readonly value: string;
  /** The text that shows by its form that this part of it is a secret. */
  readonly from?: string;
}

/** These words make a name secret wherever they stand in it. */
const ANYWHERE =
  /PASSW(?:OR)?D|PASSPHRASE|REQUIREPASS|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY|BASIC_?AUTH|PRIVATE|CONNECTION_?STRING/;
/** These only as words of their own: `AUTHOR`, `KEYBOARD` and `COMPASS` are no secrets. */
const AS_WORD =
  /(?:^|_)(?:PASS|PWD|PW|PIN|KEYS?|CREDS?|O?AUTH|DSN|SALT|JWT|COOKIE|HMAC|SIGNATURE|WEBHOOK)(?:_|\d*$)|KEY$/;

/** Values of these tell nothing that an image, a shell or a compose file does not tell anyway. */
const ORDINARY_NAMES = new Set(
  `PATH HOME HOSTNAME USER LOGNAME SHELL PWD OLDPWD SHLVL TERM LANG LANGUAGE TZ TMPDIR EDITOR PAGER COLORTERM
   NODE_ENV NODE_PATH NODE_OPTIONS ENVIRONMENT APP_ENV RAILS_ENV RACK_ENV DEBIAN_FRONTEND LOG_LEVEL PORT HOST
   PYTHONUNBUFFERED PYTHONPATH JAVA_HOME GOPATH GOROOT PGDATA SSH_AUTH_SOCK XDG_RUNTIME_DIR DOCKER_HOST
   COMPOSE_PROJECT_NAME COMPOSE_FILE container`.split(/\s+/),
);
const ORDINARY_NAME_PATTERN = /^LC_|(?:^|_)(?:VERSION|IMAGE|TAG|REGISTRY)$/;

const ORDINARY_VALUES = new Set(
  `true false yes no on off none null undefined enabled disabled auto default always never
   production development staging testing test local debug info notice warn warning error trace verbose
   localhost localtime database postgres postgresql mysql mariadb redis rabbitmq mongodb memory`.split(/\s+/),
);

const SWITCHES = new Set(['true', 'false', 'yes', 'no', 'on', 'off', 'none', 'null', 'enabled', 'disabled']);

/** @returns whether the name alone says that the value is a secret */
export function looksSecret(name: string): boolean {
  if (ORDINARY_NAMES.has(name)) return false;
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[.\-\s/]+/g, '_')
    .toUpperCase();
  // A path to a secret is no secret: DB_PASSWORD_FILE=/run/secrets/db.
  if (/_(?:FILE|PATH|DIR|NAME|ID|TYPE|TTL|EXPIRY|TIMEOUT|ENABLED)$/.test(words) && !/KEY_ID$/.test(words)) return false;
  return ANYWHERE.test(words) || AS_WORD.test(words);
}

/** @returns whether the variable may stay readable where values are hidden by position */
export function isOrdinary(name: string, value: string): boolean {
  if (value === '' || SWITCHES.has(value.toLowerCase())) return true;
  return !looksSecret(name) && isOrdinaryValue(name, value);
}

/**
 * @returns whether the value is worth looking for in free text: it is a secret by its name, or long enough that hiding it
 * does not tear holes into every line (DESIGN: values of at least 8 characters or with a secret-like name)
 */
export function isWorthHiding(name: string, value: string): boolean {
  if (ORDINARY_VALUES.has(value.toLowerCase())) return false;
  if (looksSecret(name)) return value.length >= 3;
  return value.length >= 8 && !isOrdinaryValue(name, value);
}

function isOrdinaryValue(name: string, value: string): boolean {
  if (ORDINARY_VALUES.has(value.toLowerCase())) return true;
  if (hasUrlCredentials(value)) return false;
  if (ORDINARY_NAMES.has(name) || ORDINARY_NAME_PATTERN.test(name)) return true;
  return isNumberOrAddress(value) || isPath(value);
}

/** Numbers, IPv4 addresses with or without a port, durations and sizes. */
function isNumberOrAddress(value: string): boolean {
  return (
    /^[-+]?\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d|[kmgt]i?b?)?$/i.test(value) ||
    /^\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?$/.test(value)
  );
}

/** A path of short segments; a long one could be a key in base64 that begins with a slash. */
function isPath(value: string): boolean {
  return /^(?:\/[\w.@-]{1,24}){1,16}\/?$/.test(value) || value === '/';
}

function hasUrlCredentials(value: string): boolean {
  return /:\/\/[^\s/@]*:[^\s/]*@/.test(value);
}
