import { describe, expect, it } from 'vitest';
import { FakeHost } from '../test-support/fake-host.ts';
import type { Input } from './host.ts';
import { hintFor, readPassphrase } from './read-passphrase.ts';

/** A terminal at which these keys are typed. */
function typing(keys: string): { readonly host: FakeHost; readonly shown: () => string } {
  const host = new FakeHost({});
  let shown = '';
  const stdin: Input = {
    isTerminal: true,
    isReadable: true,
    async *read() {
      for (const byte of Buffer.from(keys)) yield Uint8Array.of(byte);
    },
    close() {},
    raw: () => ({ [Symbol.dispose]() {} }),
  };
  const write = async (text: Uint8Array | string): Promise<void> => {
    shown += String(text);
  };
  const stderr = { ...host.stderr, isTerminal: true, write };
  return { host: Object.assign(Object.create(host), { stdin, stderr }) as FakeHost, shown: () => shown }; // What is read is replaced.
}

describe('a passphrase at the terminal', () => {
  it('is typed twice, corrected as one types, and not shown', async () => {
    const { host, shown } = typing('wrong\u0015caf\u00e9x\u007f with several words\rcaf\u00e9 with several words\n');
    expect(await readPassphrase({}, host)).toBe('caf\u00e9 with several words');
    expect(shown()).toBe('Passphrase: \nOnce more: \n');
  });

  it('that was typed differently the second time is none', async () => {
    await expect(readPassphrase({}, typing('one\rother\r').host)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it.each(['\u0003', 'half\u0003', '\u0004', 'half', 'one\r\u0003'])('is none when it is given up: %j', async (keys) => {
    await expect(readPassphrase({}, typing(keys).host)).rejects.toMatchObject({ code: 'aborted' });
  });
});

it.each([
  ['correct horse battery staple', undefined],
  ['short enough', 'several words'],
  ['aaaaaaaaaaaaaaaaaaaaaaaaaa', 'repeats few characters'],
  ['this is the one of Ann after all', 'the name is in'],
])('of %j it says %s', (passphrase, hint) => {
  if (hint === undefined) expect(hintFor(passphrase, 'ann')).toBeUndefined();
  else expect(hintFor(passphrase, 'ann')).toContain(hint);
});
