import { expect, it } from 'vitest';
import type { PolicyFile, Rule, Tier } from '../policy.ts';
import { findOverruled } from './find-overruled.ts';

function file(rules: readonly Rule[], defaultTier?: Tier): PolicyFile {
  const numbered = rules.map((rule, index) => ({ rule, line: index + 2 }));
  return { layer: 'workspace', file: 'f.yaml', of: undefined, rules: numbered, defaultTier, defaultLine: 1 };
}

const free: Rule = { capability: ['git.push'], tier: 'autonomous' };
const under = (path: string, tier: Tier): Rule => ({ capability: ['filesystem.write'], when: { path: { under: [path] } }, tier });

it.each<[string, PolicyFile, PolicyFile, readonly (readonly [number, number])[]]>([
  ['a rule under one that blocks the same', file([{ ...free, tier: 'blocked' }]), file([free]), [[2, 2]]],
  ['a rule under one that blocks more', file([{ capability: ['git.*'], tier: 'blocked' }]), file([free]), [[2, 2]]],
  ['a rule under a default', file([], 'approval_required'), file([free]), [[2, 1]]],
  ['a default under a default', file([], 'blocked'), file([], 'notify'), [[1, 1]]],
  ['a directory under one above it', file([under('/workspace', 'blocked')]), file([under('/workspace/src', 'notify')]), [[2, 2]]],
  ['a rule that is stricter', file([{ ...free, tier: 'notify' }]), file([{ ...free, tier: 'blocked' }]), []],
  ['a rule that says the same', file([free]), file([free]), []],
  ['a rule under one about some of it', file([under('/workspace/src', 'blocked')]), file([under('/workspace', 'notify')]), []],
  ['a rule under one of some agents', file([{ ...free, agent: ['ci'], tier: 'blocked' }]), file([free]), []],
  ['a rule that the file above lets pass first', file([free, { capability: ['*'], tier: 'blocked' }]), file([free]), []],
  ['a rule of which the file above may let pass some', file([{ ...free, agent: ['ci'] }], 'blocked'), file([free]), []],
])('findOverruled: %s', (_, upper, lower, expected) => {
  expect(findOverruled(upper, lower).map(({ line, by }) => [line, by])).toEqual(expected);
});

it('findOverruled ends, whatever the files hold', () => {
  const many = (tier: Tier) => file(Array.from({ length: 2_000 }, (_, index) => ({ capability: [`a.b${index}`], tier })));
  expect(findOverruled(many('blocked'), many('notify')).length).toBeLessThan(2_000);
});
