import { describe, expect, it } from 'vitest';
import { placeIn } from '../../src/engine/compose-locate.js';

const FILE = `services:
  web.app:
    imge: x
    ports:
      - '1:1'
      - target: abc
    environment: &env
      A: '1'
  other:
    image: x
    depends_on: [nothing]
    volumes:
      - data:/x
volums:
  data: {}
`;

/** What several versions of Compose say of it, and the line a person looks for. */
const SAID: readonly (readonly [string, number | undefined])[] = [
  // 2.26
  ['validating /srv/compose.yaml: services.web.app Additional property imge is not allowed', 3],
  ['validating /srv/compose.yaml: (root) Additional property volums is not allowed', 14],
  // 2.40 and 5
  ["validating /srv/compose.yaml: services.web.app additional properties 'imge' not allowed", 3],
  ["validating /srv/compose.yaml: additional properties 'volums' not allowed", 14],
  ['validating /srv/compose.yaml: services.web.app.ports.1.target must be a integer', 6],
  ['validating /srv/compose.yaml: services.web.app.environment must be a mapping', 7],
  ['error while interpolating services.web.app.ports.[].target: failed to cast to expected type', 4],
  ['service "other" depends on undefined service "nothing": invalid compose project', 11],
  ['service "other" refers to undefined volume data: invalid compose project', 12],
  ['something else altogether', undefined],
];

describe('the line of a mistake in a compose file', () => {
  it.each(SAID)('"%s"', async (said, line) => {
    expect((await placeIn(FILE, said))?.line).toBe(line);
  });

  it('is where the text stops to be YAML, and not where Compose noticed it', async () => {
    const indented = 'services:\n  app:\n    image: x\n   ports:\n      - 1\n';
    expect((await placeIn(indented, 'yaml: line 1: did not find expected key'))?.line).toBe(4);
    const both = `${indented}    command: 'x'\n`;
    expect((await placeIn(both, 'yaml: line 1: did not find expected key'))?.line).toBe(4);
    const quoted = 'services:\n  app:\n    image: "x\n    command: sleep\n';
    expect(
      (await placeIn(quoted, 'parsing /srv/compose.yaml: yaml: line 3: found unexpected end of stream'))?.line,
    ).toBe(3);
    // What only Go's parser minds keeps its own line.
    expect((await placeIn('services: {}\n', 'yaml: line 7: invalid'))?.line).toBe(7);
  });
});
