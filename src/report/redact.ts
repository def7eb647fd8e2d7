import { composeNames } from '../model/compose-names.js';
import type { Redactor } from '../model/ports/progress.js';
import { documentSecrets } from './document-secrets.js';
import { redactJson } from './redact-json.js';
import { RedactingStream } from './redact-stream.js';
import { redactCommandLine } from './secret-arguments.js';
import { fromBytes, needlesOf, toBytes, type Needle } from './secret-forms.js';
import { masked, SecretIndex } from './secret-index.js';
import { looksSecret } from './secret-names.js';

/** How Docker marks what it has cut. */
const CUT = '...';

/** The redactor with what the evidence store needs to work on bytes. */
export interface SecretRedactor extends Redactor {
  /** What is known now; another one after `learn`. */
  index(): SecretIndex;
}

/**
 * Hides secrets in whatever is written or sent (DESIGN: the rendered definition is a secret at rest).
 *
 * By position: environment values and credentials in inspect and config output. By value: what was learned, also encoded
 * in base64, for URLs and in JSON. By form: passwords in URLs, authorization headers, tokens. It hides what it knows or
 * recognises; a secret that a program prints in a form of its own is not found. A value that is also a name of the compose
 * files is not hidden: people could not read the log, and the name tells it anyway.
 */
export function createRedactor(): SecretRedactor {
  /** Values by the name of what holds them, so that nothing is learned twice. */
  const known = new Map<string, { readonly name: string; readonly value: string }>();
  const names = new Map<string, string>();
  let index: SecretIndex | undefined;

  const current = (): SecretIndex => {
    if (index !== undefined) return index;
    const isPublic = (text: string): boolean => names.has(text);
    const needles = new Map<string, Needle>();
    for (const { name, value } of known.values()) {
      for (const needle of needlesOf(name, value, isPublic)) needles.set(needle.bytes, needle);
    }
    index = new SecretIndex([...needles.values()], [...names.keys()].map(toBytes));
    return index;
  };

  const learn: Redactor['learn'] = (values) => {
    const before = known.size;
    for (const { name, value } of values) known.set(`${name}\0${value}`, { name, value });
    if (known.size !== before) index = undefined;
  };

  const text = (plain: string): string => {
    const bytes = toBytes(plain);
    const spans = current().spans(bytes);
    return spans.length === 0 ? plain : fromBytes(masked(bytes, spans));
  };

  const cutText = (plain: string): string => {
    const clean = text(plain);
    if (!clean.endsWith(CUT)) return clean;
    const bytes = toBytes(clean.slice(0, -CUT.length));
    const half = current().cutAtEnd(bytes);
    return half === undefined ? clean : fromBytes(masked(bytes, [half])) + CUT;
  };

  return {
    learn,
    learnDocument(document, paths) {
      const before = names.size;
      for (const path of paths) names.set(path, 'a path of the project');
      for (const { name, what } of composeNames(document)) if (!names.has(name)) names.set(name, what);
      if (names.size !== before) index = undefined;
      learn(documentSecrets(document));
    },
    text,
    cutText,
    json: (value) => redactJson(value, { text, cutText }),
    commandLine: (line) => redactCommandLine(line, text),
    stream: () => new RedactingStream({ index: current }),
    unhidden: () =>
      [...known.values()].flatMap(({ name, value }) => {
        const what = names.get(value.trim());
        return what === undefined || !looksSecret(name) ? [] : [{ name, what }];
      }),
    index: current,
  };
}
