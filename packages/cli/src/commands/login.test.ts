import { expect, it } from 'vitest';
import { FakeHost } from '../test-support/fake-host.ts';
import { login } from './login.ts';

it.each(['http://127.example.org', 'http://127.0.0.1.example.org', 'http://localhost.example.org', 'http://192.0.2.1'])(
  'no passphrase goes to %s in plain text',
  async (server) => {
    const host = new FakeHost({ input: 'secret' });
    await expect(login({ server, name: 'ann' }, host)).rejects.toThrow('could be read on the way');
  },
);
