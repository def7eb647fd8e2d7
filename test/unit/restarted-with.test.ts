import { describe, expect, it } from 'vitest';
import { leftDependents, restartedWith } from '../../src/model/restarted-with.js';
import type { ComposeProject, ObservedContainer } from '../../src/model/service.js';

const service = (name: string, restart?: boolean) => ({
  name,
  dependsOn: restart === undefined ? [] : [{ service: 'api', condition: 'service_healthy', restart }],
});
const project = {
  services: { api: service('api'), web: service('web', true), worker: service('worker', false) },
} as unknown as Pick<ComposeProject, 'services'>;

type Lived = Pick<ObservedContainer, 'service' | 'state' | 'createdAt' | 'startedAt'>;
const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;
const container = (name: string, created: number, started: number, state: Lived['state'] = 'running'): Lived => {
  return { service: name, state, createdAt: at(created), startedAt: at(started) };
};
const WEB = [{ service: 'web', dependency: 'api' }];

describe('a service that asks to be restarted with another one', () => {
  it('is named in a plan unless the plan changes it too', () => {
    expect(restartedWith(project, ['api'])).toEqual(WEB);
    expect(restartedWith(project, ['api', 'web'])).toEqual([]);
    expect(restartedWith(project, ['worker', 'web'])).toEqual([]);
  });

  it.each([
    ['started after it', [container('api', 1, 1), container('web', 2, 2)], [], []],
    ['older than its container', [container('api', 5, 5), container('web', 2, 2)], [], WEB],
    [
      'older than one of its containers',
      [container('api', 1, 1), container('api', 5, 5), container('web', 2, 2)],
      [],
      WEB,
    ],
    ['one of several older', [container('api', 3, 3), container('web', 2, 2), container('web', 4, 4)], [], WEB],
    ['that was started again by itself', [container('api', 1, 5), container('web', 2, 2)], [], []],
    ['that this run started again', [container('api', 1, 5), container('web', 2, 2)], ['api'], WEB],
    ['restarted in place afterwards', [container('api', 5, 5), container('web', 2, 6)], ['api'], []],
    ['not running', [container('api', 5, 5), container('web', 2, 2, 'exited')], [], []],
    ['with nothing to depend on', [container('web', 2, 2)], [], []],
  ] as const)('is left with what was before: %s', (_what, containers, restarted, expected) => {
    expect(leftDependents(project, containers, new Set(restarted))).toEqual(expected);
  });
});
