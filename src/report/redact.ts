import type { Redactor } from '../model/ports/progress.js';
import { redactJson } from './redact-json.js';
import { fromBytes, needlesOf, toBytes, type Needle } from './secret-forms.js';
import { masked, SecretIndex } from './secret-index.js';

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
 * recognises; a secret that a program prints in a form of its own is not found.
 */
export function createRedactor(): SecretRedactor {
  const needles = new Map<string, Needle>();
  let index: SecretIndex | undefined;
  const current = (): SecretIndex => (index ??= new SecretIndex([...needles.values()]));

  const text = (plain: string): string => {
    const bytes = toBytes(plain);
    const spans = current().spans(bytes);
    return spans.length === 0 ? plain : fromBytes(masked(bytes, spans));
  };

  return {
    learn(values) {
      const before = needles.size;
      for (const { name, value } of values) {
        for (const needle of needlesOf(name, value)) needles.set(needle.bytes, needle);
      }
      if (needles.size !== before) index = undefined;
    },
    text,
    json: (value) => redactJson(value, text),
    index: current,
  };
}
