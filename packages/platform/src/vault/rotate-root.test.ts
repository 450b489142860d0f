import { readFileSync } from 'node:fs';
import { type Kernel, openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { createAllSecrets } from './all-secrets.ts';
import { openRootKeys, type RootKeys } from './root-keys.ts';
import { VAULT_FILE } from './vault-file.ts';

/** As little as Argon2 takes. */
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 } as const;
const SKILL = { kind: 'skill', skill: 'deploy' } as const;
const BOUND = { bindings: { skills: ['deploy'] } } as const;
const FIRST = 'correct horse';

type KernelPart = Pick<Kernel, 'workspace' | 'workspaces'>;

/** With a secret in each of so many workspaces. */
async function openTest(count: number) {
  const directory = await TemporaryDirectory.create();
  const kernel = await openKernel({ directory: directory.path });
  const ids: WorkspaceId[] = [DEFAULT_WORKSPACE];
  for (let index = 1; index < count; index++) ids.push(parseWorkspaceId(`w${index}`));
  for (const id of ids.slice(1)) await kernel.workspaces.create(id);
  const openRoots = (passphrase = FIRST): Promise<RootKeys> =>
    openRootKeys({ kind: 'passphrase', passphrase }, { directory: directory.path, environment: {}, now: () => 1, argon2: CHEAP });
  const secretsUnder = (roots: RootKeys, on: KernelPart = kernel) =>
    createAllSecrets({ kernel: on, roots: async () => roots, now: () => 1 });
  const all = secretsUnder(await openRoots());
  for (const id of ids) await all.secrets(id).set('a', `of ${id}`, BOUND);
  return {
    ...{ kernel, ids, openRoots, secretsUnder },
    /** As after a start: nothing is remembered. */
    async readAll(passphrase = FIRST): Promise<readonly (string | undefined)[]> {
      const { secrets } = secretsUnder(await openRoots(passphrase));
      return await Promise.all(
        ids.map(async (id) => {
          using value = await secrets(id).use('a', SKILL);
          return value === undefined ? undefined : Buffer.from(value.bytes).toString();
        }),
      );
    },
    whole: ids.map((id) => `of ${id}`),
    rootsInFile(): readonly number[] {
      const file = JSON.parse(readFileSync(directory.join(VAULT_FILE), 'utf8')) as { roots: { number: number }[] }; // As it is written.
      return file.roots.map(({ number }) => number);
    },
    async [Symbol.asyncDispose]() {
      await kernel.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** A store that fails to keep keys of this workspace while it is told to. */
function failingFor(kernel: Kernel, broken: WorkspaceId, isFailing: () => boolean): KernelPart {
  return {
    workspaces: kernel.workspaces,
    workspace(id) {
      const found = kernel.workspace(id);
      if (id !== broken) return found;
      const rewrapDataKeys: typeof found.secrets.rewrapDataKeys = async (keys) => {
        if (isFailing()) throw new Fault('store_failed', 'Cannot write');
        await found.secrets.rewrapDataKeys(keys);
      };
      return { ...found, secrets: { ...found.secrets, rewrapDataKeys } };
    },
  };
}

describe('rotations of the root key', () => {
  it('at once, over many workspaces, leave every value readable and one root key', async () => {
    await using t = await openTest(40);
    const all = t.secretsUnder(await t.openRoots());
    await Promise.all([all.rotateRoot(), all.rotateRoot(), all.rotateRoot()]);
    expect(await t.readAll()).toEqual(t.whole);
    expect(t.rootsInFile()).toEqual([4]);
  });

  it('that others make beside them take no root key that a data key names', async () => {
    await using t = await openTest(20);
    const roots = await t.openRoots();
    await Promise.all([t.secretsUnder(roots).rotateRoot(), t.secretsUnder(roots).rotateRoot(), t.secretsUnder(roots).rotateRoot()]);
    expect(await t.readAll()).toEqual(t.whole);
    await t.secretsUnder(roots).rotateRoot();
    expect(await t.readAll()).toEqual(t.whole);
    expect(t.rootsInFile()).toHaveLength(1);
  });

  it('that fail again and again add one root key and not one each time, and the next that can finishes', async () => {
    await using t = await openTest(6);
    let isFailing = true;
    const broken = parseWorkspaceId('w3');
    const all = t.secretsUnder(
      await t.openRoots(),
      failingFor(t.kernel, broken, () => isFailing),
    );
    for (let attempt = 0; attempt < 5; attempt++) await expect(all.rotateRoot()).rejects.toMatchObject({ code: 'store_failed' });
    expect(t.rootsInFile()).toEqual([1, 2]);
    expect(await t.readAll()).toEqual(t.whole);
    isFailing = false;
    await all.rotateRoot();
    expect(t.rootsInFile()).toEqual([3]);
    expect(await t.readAll()).toEqual(t.whole);
  });

  it('that are cut off in the middle leave what the next finishes, also after a start', async () => {
    await using t = await openTest(4);
    const ending = new AbortController();
    const on = failingFor(t.kernel, parseWorkspaceId('w1'), () => {
      ending.abort();
      return false;
    });
    await expect(t.secretsUnder(await t.openRoots(), on).rotateRoot(ending.signal)).rejects.toThrow();
    expect(t.rootsInFile()).toEqual([1, 2]);
    expect(await t.readAll()).toEqual(t.whole);
    await t.secretsUnder(await t.openRoots()).rotateRoot();
    expect(t.rootsInFile()).toEqual([3]);
    expect(await t.readAll()).toEqual(t.whole);
  });

  it('go on past a damaged data key, say whose it is, and keep the root key it names', async () => {
    await using t = await openTest(5);
    const damaged = parseWorkspaceId('w2');
    const { secrets: sealed } = t.kernel.workspace(damaged);
    const before = await sealed.dataKeys();
    await sealed.rewrapDataKeys(before.map((key) => ({ ...key, wrapped: Buffer.alloc(60) })));
    const all = t.secretsUnder(await t.openRoots());
    for (const newest of [2, 3]) {
      await expect(all.rotateRoot()).rejects.toMatchObject({
        code: 'store_failed',
        message: expect.stringContaining('w2'),
        details: { workspaces: [damaged] },
      });
      expect(t.rootsInFile()).toEqual([1, newest]);
    }
    const others = await Promise.all(t.ids.map(async (id) => (await t.kernel.workspace(id).secrets.dataKeys()).map(({ root }) => root)));
    expect(others).toEqual(t.ids.map((id) => [id === damaged ? 1 : 3]));
    await sealed.rewrapDataKeys(before); // As from a backup.
    expect(await t.readAll()).toEqual(t.whole);
    await all.rotateRoot();
    expect(t.rootsInFile()).toEqual([4]);
    expect(await t.readAll()).toEqual(t.whole);
  });

  it('pass over a workspace that is deleted meanwhile', async () => {
    await using t = await openTest(3);
    const { workspaces } = t.kernel;
    const gone = { ...(await workspaces.get(DEFAULT_WORKSPACE)), id: parseWorkspaceId('gone') };
    const on: KernelPart = {
      workspace: (id) => t.kernel.workspace(id),
      workspaces: { ...workspaces, list: async () => [gone, ...(await workspaces.list())] },
    };
    await t.secretsUnder(await t.openRoots(), on).rotateRoot();
    expect(t.rootsInFile()).toEqual([2]);
    expect(await t.readAll()).toEqual(t.whole);
  });

  it('beside changes of the passphrase lose neither a root key nor the newest passphrase', async () => {
    await using t = await openTest(5);
    const roots = await t.openRoots();
    const all = t.secretsUnder(roots);
    let passphrase = FIRST;
    for (let round = 1; round <= 15; round++) {
      const [former, next] = [passphrase, `passphrase ${round}`];
      const change = (to: string): Promise<void> => roots.changeSource({ kind: 'passphrase', passphrase: to });
      await Promise.all([change('in between'), all.rotateRoot(), change(next), all.rotateRoot()]);
      expect(await t.readAll(next)).toEqual(t.whole);
      for (const old of [former, 'in between']) await expect(t.openRoots(old)).rejects.toMatchObject({ code: 'permission_denied' });
      passphrase = next;
    }
  });
});
