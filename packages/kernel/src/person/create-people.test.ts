import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';

const PASSPHRASE = 'correct horse battery staple';
const ANN = { name: 'ann', workspace: DEFAULT_WORKSPACE, role: 'approver', groups: ['ops'], passphrase: PASSPHRASE } as const;

describe('a person', () => {
  it('is let in with the passphrase, also after a restart, and nobody else is', async () => {
    await using on = await openTestKernel();
    const { people } = on.kernel;
    const made = await people.create(ANN);
    expect(made).toMatchObject({ name: 'ann', workspace: DEFAULT_WORKSPACE, role: 'approver', groups: ['ops'], hasPassphrase: true });
    await on.reopen();
    expect(await on.kernel.people.verify('ann', PASSPHRASE)).toEqual(made);
    for (const wrong of ['', 'correct horse battery stable', `${PASSPHRASE} `, PASSPHRASE.toUpperCase()]) {
      expect(await on.kernel.people.verify('ann', wrong)).toBeUndefined();
    }
    for (const nobody of ['bob', '', 'ANN', '__proto__', 'x'.repeat(1_000)]) {
      expect(await on.kernel.people.verify(nobody, PASSPHRASE)).toBeUndefined();
    }
  });

  it('is known by the same characters, however they were typed', async () => {
    await using on = await openTestKernel();
    await on.kernel.people.create({ ...ANN, passphrase: 'caf\u00e9 caf\u00e9 caf\u00e9' });
    expect(await on.kernel.people.verify('ann', 'cafe\u0301 cafe\u0301 cafe\u0301')).toBeDefined();
  });

  it('has a passphrase that is nowhere on disk', async () => {
    await using on = await openTestKernel();
    await on.kernel.people.create(ANN);
    await on.kernel.store.close();
    const bytes = readFileSync(join(on.directory, 'kernel.db'));
    expect(bytes.includes('$argon2id$v=19$m=65536,t=3,p=4$')).toBe(true);
    expect(bytes.includes(PASSPHRASE)).toBe(false);
  });

  it('without a passphrase is not let in by any, and is found by identity', async () => {
    await using on = await openTestKernel();
    const identity = { issuer: 'https://id.example', subject: '42' };
    await on.kernel.people.create({ name: 'bob', identity });
    for (const passphrase of ['', 'undefined', 'null']) expect(await on.kernel.people.verify('bob', passphrase)).toBeUndefined();
    expect(await on.kernel.people.findByIdentity('https://id.example', '42')).toMatchObject({ name: 'bob', workspace: undefined });
    expect(await on.kernel.people.findByIdentity('https://other.example', '42')).toBeUndefined();
  });

  it.each(['disabled', 'changed', 'deleted'] as const)('that is %s has left no token behind', async (how) => {
    await using on = await openTestKernel();
    const { people, tokens } = on.kernel;
    await people.create(ANN);
    const of = { kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' } as const;
    const session = await tokens.create(of, { person: 'ann', owner: 'ann' });
    const made = await tokens.create(of, { maker: session.record });
    const hidden = await tokens.create(of, { maker: made.record });
    const other = await tokens.create(of);
    if (how === 'disabled') await people.setDisabled('ann', true);
    else if (how === 'changed') await people.update('ann', { role: 'viewer' });
    else await people.delete('ann');
    for (const { token } of [session, made, hidden]) expect(await tokens.authenticate(token)).toBeUndefined();
    expect(await tokens.authenticate(other.token)).toEqual(of);
  });

  it('that is disabled, changed or deleted is not let in, and has no session any more', async () => {
    await using on = await openTestKernel();
    const { people, tokens } = on.kernel;
    await people.create(ANN);
    const of = { kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'approver' } as const;
    const signIn = async () => (await tokens.create(of, { person: 'ann', owner: 'ann' })).token;
    const sessions = [await signIn()];
    expect([await people.setDisabled('ann', true), await people.setDisabled('ann', true)]).toEqual([true, false]);
    expect(await people.verify('ann', PASSPHRASE)).toBeUndefined();
    await expect(signIn()).rejects.toMatchObject({ code: 'illegal_transition' });
    await people.setDisabled('ann', false);
    expect(await people.verify('ann', PASSPHRASE)).toBeDefined();
    sessions.push(await signIn());
    await people.update('ann', { role: 'viewer' });
    sessions.push(await signIn());
    await people.update('ann', { passphrase: 'another passphrase' });
    expect(await people.verify('ann', PASSPHRASE)).toBeUndefined();
    sessions.push(await signIn());
    expect([await people.delete('ann'), await people.delete('ann')]).toEqual([true, false]);
    await expect(signIn()).rejects.toMatchObject({ code: 'not_found' });
    for (const session of sessions) expect(await tokens.authenticate(session)).toBeUndefined();
  });

  it('is refused with what it cannot be', async () => {
    await using on = await openTestKernel();
    const { people } = on.kernel;
    await people.create({ ...ANN, identity: { issuer: 'i', subject: 's' } });
    await expect(people.create(ANN)).rejects.toMatchObject({ code: 'already_exists' });
    await expect(people.create({ name: 'bob', identity: { issuer: 'i', subject: 's' } })).rejects.toMatchObject({ code: 'already_exists' });
    await expect(people.create({ ...ANN, name: 'bob', workspace: 'nowhere' as WorkspaceId })).rejects.toMatchObject({ code: 'not_found' });
    const wrong = [
      { name: '' },
      { name: 'Ann' },
      { name: 'a b' },
      { name: 'bob', role: 'admin' },
      { name: 'bob', workspace: DEFAULT_WORKSPACE },
      { name: 'bob', groups: ['A'] },
      { name: 'bob', passphrase: 'too short' },
      { name: 'bob', passphrase: 'x'.repeat(1_025) },
      { name: 'bob', identity: { issuer: '', subject: 's' } },
    ] as const;
    for (const each of wrong) await expect(people.create(each)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect((await people.list()).map(({ name }) => name)).toEqual(['ann']);
    expect(await people.list('other' as WorkspaceId)).toEqual([]);
  });

  it('waits for nobody: too many at once are refused', async () => {
    await using on = await openTestKernel();
    const answers = await Promise.allSettled(Array.from({ length: 9 }, () => on.kernel.people.verify('nobody', PASSPHRASE)));
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(Array.from({ length: 5 }, () => 'busy'));
  });
});
