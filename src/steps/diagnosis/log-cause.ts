import type { Finding } from './finding.js';

const CAUSES: readonly { readonly pattern: RegExp; readonly says: string }[] = [
  { pattern: /EADDRINUSE|address already in use/i, says: 'A port that it wants is taken inside its own network' },
  {
    pattern: /Cannot find (?:module|package)|ModuleNotFoundError|NoClassDefFoundError|cannot open shared object/i,
    says: 'A dependency is missing in the image: install what the lock file says when it is built',
  },
  { pattern: /ECONNREFUSED|connection refused/i, says: 'Something that it needs does not accept connections' },
  {
    pattern: /ENOTFOUND|EAI_AGAIN|name or service not known|no such host/i,
    says: 'A host that it needs has no address here',
  },
  { pattern: /EACCES|permission denied/i, says: 'It may not read or write something: look at the owner of its mounts' },
  { pattern: /ENOSPC|no space left/i, says: 'A disk is full' },
  { pattern: /ENOENT|no such file or directory/i, says: 'A file that it wants is not there' },
  {
    pattern: /SyntaxError|invalid (?:configuration|config|yaml|json)|parse error/i,
    says: 'It cannot read its code or its configuration',
  },
];

const SHOWN = 160;

/** Runbook, Container Won't Start: its last log lines, read for what commonly stops a start. */
export const logCause: Finding = {
  name: 'log',
  look: ({ log }) => {
    for (const line of [...log].reverse()) {
      const cause = CAUSES.find(({ pattern }) => pattern.test(line));
      if (cause !== undefined) return Promise.resolve(`${cause.says}: "${line.trim().slice(0, SHOWN)}".`);
    }
    return Promise.resolve(undefined);
  },
};
