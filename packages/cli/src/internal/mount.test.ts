import { isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMount } from './mount.ts';

describe('parseMount', () => {
  it.each([
    ['/a:/b', { source: '/a', target: '/b', writable: false }],
    ['/a:/b:ro', { source: '/a', target: '/b', writable: false }],
    ['data:/b:rw', { source: 'data', target: '/b', writable: true }],
    ['/a:b:/c:rw', { source: '/a:b', target: '/c', writable: true }],
    ['/a:/b:/c', { source: '/a:/b', target: '/c', writable: false }],
    ['/a:/b:rwx', { source: '/a', target: '/b:rwx', writable: false }],
  ])('reads %s', (text, mount) => {
    expect(parseMount(text)).toEqual(mount);
  });

  it.each(['', ':', '/a', '/a:', '/a:b', ':/b', ':/b:rw', '/a:rw', 'rw', 'a:b:rw'])('refuses %j and names the flag', (text) => {
    expect(() => parseMount(text)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining('--mount') }),
    );
  });

  it('gives an absolute target and a source, or a fault, for every text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a/:rwo\n]{1,12}$/)), (text) => {
        try {
          const mount = parseMount(text);
          return mount.source !== '' && mount.target.startsWith('/') && text.startsWith(`${mount.source}:${mount.target}`);
        } catch (error) {
          return isFault(error, 'invalid_argument');
        }
      }),
    );
  });
});
