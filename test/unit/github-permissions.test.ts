import { expect, it } from 'vitest';
import { grantedTo, missingPermission } from '../support/github-permissions.js';

it('is what the jobs that a caller starts ask for', () => {
  expect(grantedTo('deploy.yml')).toEqual({
    contents: 'read',
    deployments: 'write',
    'pull-requests': 'read',
    actions: 'read',
  });
  expect(grantedTo('slo-review.yml')).toEqual({ issues: 'write' });
  // Of its jobs one has what the caller grants, and in the example that is no more.
  expect(grantedTo('release.yml')).toEqual(grantedTo('deploy.yml'));
  expect(grantedTo('deploy-staged.yml')).toEqual(grantedTo('deploy.yml'));
});

it.each([
  ['POST', '/repos/a/b/deployments', { deployments: 'read' }, 'deployments: write'],
  ['GET', '/repos/a/b/deployments', {}, 'deployments: read'],
  ['GET', '/repos/a/b/environments/production', { contents: 'write' }, 'actions: read'],
  ['GET', '/repos/a/b/commits/abc/pulls', { contents: 'read' }, 'pull-requests: read'],
  ['POST', '/repos/a/b/releases', { contents: 'read' }, 'contents: write'],
  ['POST', '/repos/a/b/issues', { issues: 'read' }, 'issues or pull-requests: write'],
] as const)('%s %s with %j needs %s', (method, path, granted, words) => {
  expect(missingPermission(method, path, granted)).toContain(words);
  expect(missingPermission(method, path, { ...granted, ...written(words) })).toBeUndefined();
});

function written(words: string): Record<string, string> {
  const [name = ''] = words.split(/ or |: /);
  return { [name]: 'write' };
}
