import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parsePolicy } from '../../src/engine/compose-policy.js';

const examplesOf = (name: string): readonly string[] => {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');
  return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, yaml = '']) =>
    yaml.includes('x-rolling-restart') ? [yaml] : [],
  );
};

describe.each(['compose-policy.md', 'routers.md'])('the examples of docs/%s', (name) => {
  it('are what the reader takes', () => {
    const examples = examplesOf(name);
    expect(examples.length).toBeGreaterThan(0);
    for (const yaml of examples) {
      const document = parse(yaml) as { 'x-rolling-restart': { services: Record<string, unknown> } };
      const policy = document['x-rolling-restart'];
      const services = Object.keys(policy.services);
      expect(Object.keys(parsePolicy(policy, services).services)).toEqual(services);
    }
  });
});

it('a semicolon, which would begin another command of HAProxy, is refused', () => {
  const withOptions = (options: string) => {
    const router = { haproxy: { socket: '/run/h.sock', backend: 'web', options } };
    return () => parsePolicy({ services: { web: { router } } }, ['web']);
  };
  expect(withOptions('check ssl verify none')).not.toThrow();
  expect(withOptions('check; shutdown sessions server web/a')).toThrow(/x-rolling-restart .* cannot be used/);
});
