/** Where in a text something stands that has to be hidden: from `start` up to and without `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** Where what tells that it is a secret begins; a text must not be cut between here and `end`. */
  readonly from: number;
}

interface Pattern {
  /** With the `d` flag; the group `secret` is what is hidden. Repetitions are bounded, but for a
   * secret that ends the pattern: half of a long one must not stay, and a line may have 64 KiB. */
  readonly expression: RegExp;
  readonly isSecret?: (match: RegExpExecArray) => boolean;
}

/**
 * Secrets that show themselves by what stands around them, whether their value is known or not.
 * Every pattern needs one of HINTS in the text; the fast scan looks for nothing else.
 */
const PATTERNS: readonly Pattern[] = [
  // scheme://user:password@host, and scheme://token@host when the user is too long to be a name.
  { expression: /:\/\/[^\0-\x20"'<>/?#@:]{0,256}:(?<secret>[^\0-\x20"'<>/?#]{1,1024})@/dg },
  { expression: /:\/\/(?<secret>[^\0-\x20"'<>/?#@:]{20,1024})@/dg },
  // Authorization: Bearer …, also as a field of JSON, and Proxy-Authorization.
  {
    expression:
      /authorization\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?(?:(?:basic|bearer|token|digest|negotiate|apikey)\s{1,4})?(?<secret>[^\0-\x20"'\\,;]+)/dgi,
  },
  { expression: /\bbearer\s{1,4}(?<secret>[\w.~+/-]{8,}={0,2})/dgi },
  { expression: /cookie\\?["']?\s{0,4}:\s{0,4}\\?["']?(?<secret>[^\n\r"'\\]+)/dgi },
  // password=…, "client_secret": "…", api-key: …
  {
    expression:
      /(?<!:\/\/[\w.-]{0,64})(?:password|passwd|passphrase|secret|token|credentials?|api[_-]?key|access[_-]?key|private[_-]?key)(?<rest>[\w.-]{0,64})\\?["']?\s{0,4}(?<separator>[:=])(?<quote>\s{0,4}\\?["']?)(?<secret>[^\0-\x20"'\\,;&)\]}]+)/dgi,
    isSecret: ({ groups }) =>
      isAssignedSecret(groups?.['rest'], groups?.['separator'], groups?.['quote'], groups?.['secret']),
  },
  // A private key in PEM form, as one text or as one line of JSON.
  { expression: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?<secret>[^]+?)(?:-----END|$)/dg },
  // A JSON web token, wherever it stands.
  { expression: /\b(?<secret>eyJ[\w-]{8,8192}\.[\w-]{8,}(?:\.[\w-]*)?)/dg },
  // Tokens that say what they are: GitHub, GitLab, Slack, AWS, Stripe.
  { expression: /\b(?<secret>(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|AKIA|ASIA|[sr]k_live_)[\w-]{16,512})/dg },
];

/** Lower-case text that every match of a pattern holds. */
export const HINTS: readonly string[] = [
  '://',
  'authorization',
  'bearer',
  'cookie',
  'passw',
  'passphrase',
  'secret',
  'token',
  'credential',
  'apikey',
  'api_key',
  'api-key',
  'accesskey',
  'access_key',
  'access-key',
  'privatekey',
  'private_key',
  'private-key',
  'private key',
  'eyj',
  'ghp_',
  'gho_',
  'ghu_',
  'ghs_',
  'ghr_',
  'github_pat_',
  'glpat-',
  'xox',
  'akia',
  'asia',
  'k_live_',
];

/** @returns what the patterns find, in no order */
export function patternSpans(bytes: string): Span[] {
  const spans: Span[] = [];
  for (const { expression, isSecret } of PATTERNS) {
    for (const match of bytes.matchAll(expression)) {
      const indices = match.indices?.groups?.['secret'];
      if (indices === undefined || isSecret?.(match) === false) continue;
      spans.push({ start: indices[0], end: indices[1], from: match.index });
    }
  }
  return spans;
}

/** `token: expired` is prose; `token=expired` and `"token": "expired"` are values. Counters and paths are neither. */
function isAssignedSecret(rest = '', separator = '', quote = '', secret = ''): boolean {
  if (/^[-_.]?(?:file|path|dir|url|type|count|name|s?[-_]?(?:used|limit|total|left))$/i.test(rest)) return false;
  if (/^(?:true|false|null|none|undefined|\d{1,7}|\*+|\$.*|<.*|\[.*|\{.*|%.*)$/i.test(secret)) return false;
  if (separator === '=' || /["']/.test(quote)) return true;
  return secret.length >= 16 || (secret.length >= 8 && /\d/.test(secret) && /[a-z]/i.test(secret));
}
