import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathMode } from '../store/tables/grant-table.ts';
import { canonicalPath } from './path-name.ts';
import { PATH_PATTERNS, pathNamed } from './path-pattern.ts';
import { coversList, hasOne } from './pattern-list.ts';
import { testPatternLaws } from './test-support/pattern-laws.ts';

type Thing = { readonly path: string; readonly mode: PathMode };

const part = fc.constantFrom('a', 'b', 'ab', '.', '..', '');
const path = fc.array(part, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const mode = fc.constantFrom('r', 'rw');

testPatternLaws({
  kind: PATH_PATTERNS,
  entry: fc.record({ prefix: path, mode }),
  things: pathsOf(['a', 'b', 'ab'], 3).flatMap((each): Thing[] => [{ path: each, mode: 'r' }, { path: each, mode: 'rw' }]), // biome-ignore format: one line
  named: (thing) => pathNamed(thing.path, thing.mode),
  means: (value, thing) => (value.mode === 'rw' || thing.mode === 'r') && upwards(thing.path).includes(value.prefix),
});

/** Paths of these names, each also with a name below that no pattern has. */
function pathsOf(names: readonly string[], depthMax: number): readonly string[] {
  let level: readonly string[] = [''];
  let all = level;
  for (let depth = 0; depth < depthMax; depth++) {
    level = level.flatMap((above) => names.map((name) => `${above}/${name}`));
    all = all.concat(level);
  }
  return all.flatMap((each) => [each === '' ? '/' : each, `${each}/z`]);
}

/** The path and every directory above it. */
function upwards(from: string): readonly string[] {
  return from === '/' ? ['/'] : [from, ...upwards(posix.dirname(from))];
}

const allows = (prefix: string, granted: PathMode, asked: unknown, as: unknown = 'r') => {
  const pattern = pathNamed(prefix, granted);
  return hasOne(PATH_PATTERNS, pattern === undefined ? [] : [pattern], pathNamed(asked, as));
};

describe('a grant of a path', () => {
  it('is for the path and what is below, not for what starts alike', () => {
    expect(allows('/agents/alice/', 'r', '/agents/alice/x')).toBe(true);
    expect(allows('/agents/alice/', 'r', '/agents/alice')).toBe(true);
    expect(allows('/agents/alice/', 'r', '/agents/alice/')).toBe(true);
    expect(allows('/agents/alice/', 'r', '/agents/alicia/x')).toBe(false);
    expect(allows('/agents/alice/', 'r', '/agents')).toBe(false);
    expect(allows('/', 'r', '/whatever')).toBe(true);
    expect(allows('/', 'r', '/')).toBe(true);
  });

  it('to read is not one to write', () => {
    expect(allows('/a', 'r', '/a/b', 'rw')).toBe(false);
    expect(allows('/a', 'rw', '/a/b', 'r')).toBe(true);
    expect(allows('/a', 'rw', '/a/b', 'rw')).toBe(true);
  });

  it('is not left with dot-dot, however it is written', () => {
    for (const sly of [
      '/agents/alice/../secret',
      '/agents/alice/x/../../secret',
      '/agents/alice/./../secret',
      '/agents//alice/..',
      '/agents/alice/..',
    ]) {
      expect(allows('/agents/alice', 'rw', sly, 'r'), sly).toBe(false);
    }
    expect(allows('/agents/alice', 'r', '/agents/bob/../alice/x')).toBe(true);
    expect(allows('/agents/alice', 'r', '/../../agents/alice')).toBe(true);
    expect(allows('/agents/alice', 'r', '/agents/alice/..x')).toBe(true);
    expect(allows('/agents/alice', 'r', '/agents/alice/.../x')).toBe(true);
  });

  it('says no to what is no path or no mode', () => {
    for (const odd of [
      '',
      'a',
      './a',
      '../a',
      '~/a',
      'C:\\a',
      '/a\0',
      '/a\n',
      '/a\u0085',
      '/\ud800',
      `/${'x'.repeat(4_096)}`,
      `/${'€'.repeat(1_400)}`,
      5,
      null,
      undefined,
      {},
      ['/a'],
    ]) {
      expect(allows('/', 'rw', odd), String(odd)).toBe(false);
    }
    for (const odd of ['', 'w', 'x', 'R', 'ro', 'rwx', null, 1, {}]) expect(allows('/', 'rw', '/a', odd), String(odd)).toBe(false);
  });

  it('covers those below it with a mode that is no stronger', () => {
    const covers = (outer: readonly [string, PathMode], inner: readonly [string, PathMode]) =>
      coversList(PATH_PATTERNS, [{ prefix: outer[0], mode: outer[1] }], [{ prefix: inner[0], mode: inner[1] }]);
    expect(covers(['/a', 'rw'], ['/a/b', 'r'])).toBe(true);
    expect(covers(['/a', 'rw'], ['/a', 'rw'])).toBe(true);
    expect(covers(['/a', 'r'], ['/a/b', 'rw'])).toBe(false);
    expect(covers(['/a', 'rw'], ['/ab', 'r'])).toBe(false);
    expect(covers(['/a/b', 'rw'], ['/a', 'r'])).toBe(false);
  });

  it('is canonical', () => {
    expect(PATH_PATTERNS.parse({ prefix: '//a/./b/../c/', mode: 'r' })).toEqual({ prefix: '/a/c', mode: 'r' });
    expect(PATH_PATTERNS.parse({ prefix: '/..', mode: 'r' })).toEqual({ prefix: '/', mode: 'r' });
  });

  it.each([
    '/a', null, [], {}, { prefix: '/a' }, { mode: 'r' }, { prefix: 'a', mode: 'r' }, { prefix: '/a', mode: 'w' }, { prefix: 5, mode: 'r' },
    { prefix: '/a\0b', mode: 'r' }, { prefix: '*', mode: 'r' },
  ])('cannot be %j', (entry) => {
    expect(PATH_PATTERNS.parse(entry)).toBeUndefined();
  }); // biome-ignore format: a list

  it('agrees with the operating system about what a path without links means', () => {
    fc.assert(
      fc.property(path, (each) => {
        expect(canonicalPath(each)).toBe(posix.resolve(each));
      }),
    );
  });
});
