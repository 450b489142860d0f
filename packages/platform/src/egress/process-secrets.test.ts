import type { SecretRecord } from '@warren/kernel';
import type { SecretAsked } from '@warren/sandbox';
import { expect, it } from 'vitest';
import type { Secrets } from '../vault/secrets.ts';
import { openProcessSecrets } from './process-secrets.ts';

const VALUE = 'sk-live-0123456789abcdef';
const HOUR = 3_600_000;

function record(name: string, rest: Partial<SecretRecord> = {}): SecretRecord {
  const bindings = { hosts: ['api.test'], capabilities: ['process.run'], skills: [] };
  const times = { createdAt: 0, updatedAt: 0, revokedAt: undefined };
  return { name, type: 'api_key', purpose: '', version: 1, bindings, ...times, ...rest } as unknown as SecretRecord; // What the vault keeps besides is not looked at.
}

/** The part of a vault that is asked: one secret for one host. */
function vault(records: readonly SecretRecord[]): Pick<Secrets, 'list' | 'use'> & { readonly wiped: () => boolean } {
  const handed: Uint8Array[] = [];
  return {
    wiped: () => handed.every((bytes) => bytes.every((byte) => byte === 0)),
    list: async ({ after } = {}) => records.filter(({ name }) => after === undefined || name > after),
    async use(name, use) {
      if (name !== 'api/key' || use.kind !== 'request' || use.capability !== 'process.run' || use.host !== 'api.test') return undefined;
      const bytes = Buffer.from(VALUE);
      handed.push(bytes);
      return { bytes, version: 1, [Symbol.dispose]: () => void bytes.fill(0) };
    },
  };
}

function asked(placeholder: string, rest: Partial<SecretAsked> = {}): SecretAsked {
  const place = { kind: 'header', name: 'authorization' } as const;
  return { placeholder, place, scheme: 'https', method: 'GET', host: 'api.test', port: 443, path: '/', ...rest };
}

const signal = new AbortController().signal;
const sayNothing = (): void => {};

it('commands have a placeholder for each secret that is bound to them, and values go where the vault says', async () => {
  const known = vault([
    record('api/key'),
    record('for-skills', { bindings: { hosts: ['api.test'], capabilities: ['network.http_request'], skills: ['x'] } }),
    record('gone', { revokedAt: HOUR }),
  ]);
  const opened = await openProcessSecrets(known, sayNothing);
  expect(Object.keys(opened?.env ?? {})).toEqual(['WARREN_SECRET_API_KEY']);
  const placeholder = opened?.env['WARREN_SECRET_API_KEY'] ?? '';
  expect(placeholder).toMatch(/^warren-secret-api\.key-[0-9a-f]{32}$/);
  const { substitute, redactor } = opened?.secrets ?? expect.unreachable();
  expect(redactor().text(`echo ${VALUE}`)).toBe(`echo ${VALUE}`);
  const answer = await substitute(asked(placeholder), signal);
  expect(answer).toEqual({ kind: 'value', value: new Uint8Array(Buffer.from(VALUE)) });
  expect(known.wiped()).toBe(true);
  expect(redactor().text(`echo ${VALUE}`)).not.toContain(VALUE);
  expect(await substitute(asked(placeholder, { host: 'other.test' }), signal)).toEqual({ kind: 'not_bound' });
  expect(await substitute(asked(`${placeholder.slice(0, -1)}x`), signal)).toEqual({ kind: 'not_bound' });
  for (const place of [
    { kind: 'header', name: 'cookie' },
    { kind: 'query', name: 'key' },
    { kind: 'body', name: 'token' },
  ] as const)
    expect(await substitute(asked(placeholder, { place }), signal)).toMatchObject({ kind: 'misplaced' });
});

it('no two processes have the same placeholder, and one without secrets has none', async () => {
  const known = vault([record('api/key')]);
  expect((await openProcessSecrets(known, sayNothing))?.env).not.toEqual((await openProcessSecrets(known, sayNothing))?.env);
  expect(await openProcessSecrets(vault([record('gone', { revokedAt: HOUR })]), sayNothing)).toBeUndefined();
});

it('of more secrets than there is room for the first have a placeholder, and it is said which', async () => {
  const names = Array.from({ length: 65 }, (_, index) => `key-${String(index).padStart(2, '0')}`);
  const said: string[] = [];
  const open = (count: number) =>
    openProcessSecrets(vault(names.slice(0, count).map((name) => record(name))), (message) => said.push(message));
  expect(Object.keys((await open(64))?.env ?? {})).toHaveLength(64);
  expect(said).toEqual([]);
  expect(Object.keys((await open(65))?.env ?? {})).toHaveLength(64);
  expect(said).toEqual(['more than 64 secrets are bound to process.run: commands have placeholders for those up to key-63, by name']);
});
