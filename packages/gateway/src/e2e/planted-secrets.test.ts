/** Values and passphrases go in, over every way in, also in requests that fail; afterwards nothing that is kept, logged or answered has them, in any form. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { openTestGateway } from '../test-support/open-test-gateway.ts';

const VALUES = [
  'plantedValueOne7f3a9c51d2',
  'plantedValueTwo"with\nlines/+8e0b',
  'plantedPassphrase4f2b91',
  'plantedPassphrase9d1e07',
] as const;

function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const cores = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  return [value, bytes.toString('hex'), encodeURIComponent(value), JSON.stringify(value).slice(1, -1), bytes.toString('utf16le'), ...cores];
}

function* filesBelow(directory: string): Generator<string> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) yield* filesBelow(path);
    else if (statSync(path).isFile()) yield path;
  }
}

it('nothing that is kept, logged or answered has a value that was planted', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const [value, other, passphrase, next] = VALUES;
  const answers: string[] = [];
  const call = async (method: string, params: unknown, token?: string): Promise<void> => {
    const answer = await on.call(method, params, token === undefined ? {} : { token });
    answers.push(JSON.stringify(answer));
  };
  const api = async (method: string, path: string, body: unknown): Promise<void> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const { status, text: answer, headers } = await on.send({ method, path, headers: { 'content-type': 'application/json' } }, text);
    answers.push(`${status} ${answer} ${JSON.stringify(headers)}`);
  };
  const viewer = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' });

  // Those that are carried out.
  const bindings = { hosts: ['api.example.com'], capabilities: ['network.credentialed_request'] };
  await call('secret.set', { name: 'one', value, bindings });
  await call('secret.set', { name: 'one', value: Buffer.from(other).toString('base64'), value_encoding: 'base64' });
  await api('PUT', '/api/secrets/two', { value: other });
  await api('PUT', '/api/secrets/ci%2Fthree', { value });
  await call('secret.rollback', { name: 'one', version: 1 });
  await call('secret.change', { name: 'one', purpose: 'p' });
  await call('secret.rotate_key', {});
  await call('vault.change_passphrase', { passphrase });
  await call('vault.change_passphrase', { passphrase: next, current: passphrase });
  await call('vault.rotate_root', {});
  for (const name of ['one', 'two', 'ci/three', 'none']) await call('secret.get', { name });
  await call('secret.list', {});
  // Those that fail, each in its way.
  await call('secret.set', { name: '../x', value });
  await call('secret.set', { name: 'x', value, value_encoding: 'hex' });
  await call('secret.set', { name: 'x', value: `${value}*`, value_encoding: 'base64' });
  await call('secret.set', { name: 'x', value, unknown: true });
  await call('secret.set', { name: 'x', value: { [value]: value } });
  await call('secret.set', { name: 'x', value: [value] });
  await call('secret.set', { name: 'x', value: value.repeat(4_000) });
  await call('secret.set', { name: 'x', value: `${value}\ud800` });
  await call('secret.set', { name: 'x', value, bindings: { hosts: ['*'] } });
  await call('secret.set', { name: 'x', value }, viewer);
  await call('secret.set', { name: 'x', value }, 'wrn_none');
  await call('vault.unlock', { passphrase }, viewer);
  await call('vault.change_passphrase', { passphrase, current: value });
  await call('vault.unlock', { passphrase: [passphrase] });
  await api('PUT', '/api/secrets/x', `{"value":"${value}`);
  await api('PUT', '/api/secrets/x', `${value}`);
  await api('POST', '/api/secrets/x', { value });
  await api('PUT', `/api/secrets/x?value=${value}`, {});
  await api('GET', `/api/secrets?value=${value}`, '');
  answers.push((await on.post(`{"jsonrpc":"2.0","id":1,"method":"secret.set","params":{"name":"x","value":"${value}"`)).text);
  answers.push((await on.post(`[{"jsonrpc":"2.0","id":1,"method":"secret.set","params":["${value}"]}]`)).text);
  answers.push((await on.send({ method: 'GET', path: '/metrics' })).text);
  await call('audit.search', { limit: 1_000 });
  await call('event.newest', { limit: 1_000 });

  expect(JSON.parse(answers[0] ?? '').result).toMatchObject({ name: 'one', version: 1 });
  expect(answers[2]).toMatch(/^200 /);
  expect(answers.some((each) => each.includes('"action":"secret.set"'))).toBe(true); // It was recorded, and looked through.
  const said = [...answers, ...on.logged];
  const files = [...filesBelow(on.directory)];
  expect(files.map((file) => file.slice(on.directory.length))).toEqual(expect.arrayContaining(['/kernel.db', '/vault.json', '/vault.key']));
  for (const form of VALUES.flatMap(formsOf)) {
    expect(said.filter((text) => text.includes(form))).toEqual([]);
    expect(files.filter((file) => readFileSync(file).includes(form))).toEqual([]);
  }
});
