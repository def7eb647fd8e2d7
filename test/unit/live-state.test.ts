import { describe, expect, it } from 'vitest';
import { differenceOf, type ContainerFacts, type LiveState } from '../../src/model/live-state.js';

const container: ContainerFacts = {
  id: 'c1',
  running: true,
  startedAt: '2026-11-24T00:00:00Z',
  imageId: 'image-a',
  composeHash: 'hash-a',
};
const second: ContainerFacts = { ...container, id: 'c2' };

function state(containers: readonly ContainerFacts[], other: Partial<LiveState> & { edge?: boolean } = {}): LiveState {
  const { edge = false, ...rest } = other;
  return { services: { roma: { containers, edge } }, commit: 'commit-a', tags: { 'roma:latest': 'image-a' }, ...rest };
}

describe('differenceOf', () => {
  it.each([
    ['nothing', state([container]), 'same'],
    ['a container that was started again', state([{ ...container, startedAt: 'later' }]), 'again'],
    ['a container that was made anew', state([{ ...container, id: 'c9' }]), 'again'],
    ['a container that stopped', state([{ ...container, running: false }]), 'other'],
    ['a container that is gone', state([]), 'other'],
    ['one container more', state([container, second]), 'other'],
    ['another image', state([{ ...container, imageId: 'image-b' }]), 'other'],
    ['another configuration', state([{ ...container, composeHash: 'hash-b' }]), 'other'],
    ['an edge that has the ports', state([container], { edge: true }), 'other'],
    ['another commit', state([container], { commit: 'commit-b' }), 'other'],
    ['a tag that names another image', state([container], { tags: { 'roma:latest': 'image-b' } }), 'other'],
    ['a tag that names nothing', state([container], { tags: {} }), 'other'],
  ] as const)('%s', (_what, after, expected) => {
    expect(differenceOf(state([container]), after)).toBe(expected);
  });

  it('does not depend on the order in which the engine lists containers', () => {
    expect(differenceOf(state([container, second]), state([second, container]))).toBe('same');
  });

  it('sees a service that was not there before', () => {
    const before = { ...state([]), services: {} };
    expect(differenceOf(before, state([container]))).toBe('other');
    expect(differenceOf(before, state([]))).toBe('same');
  });
});
