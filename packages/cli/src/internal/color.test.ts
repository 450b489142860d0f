import { describe, expect, it } from 'vitest';
import { FakeHost } from '../test-support/fake-host.ts';
import { painter } from './color.ts';

function painted(env: Record<string, string>, isTerminal: boolean, when: 'auto' | 'always' | 'never' = 'auto'): boolean {
  const host = new FakeHost({ env, ...(isTerminal && { terminal: { rows: 1, columns: 1 } }) });
  return painter(host, host.stdout, when)('red', 'x') !== 'x';
}

describe('painter', () => {
  it.each<[string, Record<string, string>, boolean, boolean]>([
    ['a terminal', { TERM: 'xterm' }, true, true],
    ['a pipe', { TERM: 'xterm' }, false, false],
    ['a dumb terminal', { TERM: 'dumb' }, true, false],
    ['NO_COLOR on a terminal', { NO_COLOR: '1' }, true, false],
    ['an empty NO_COLOR on a terminal', { NO_COLOR: '' }, true, true],
    ['FORCE_COLOR on a pipe', { FORCE_COLOR: '1' }, false, true],
    ['FORCE_COLOR=0 on a terminal', { FORCE_COLOR: '0' }, true, false],
    ['both', { FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  ])('on %s', (_, env, isTerminal, expected) => {
    expect(painted(env, isTerminal)).toBe(expected);
  });

  it('does as the flag says before anything else', () => {
    expect(painted({ NO_COLOR: '1' }, false, 'always')).toBe(true);
    expect(painted({ FORCE_COLOR: '1' }, true, 'never')).toBe(false);
  });
});
