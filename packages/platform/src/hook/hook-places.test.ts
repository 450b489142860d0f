import { parseWorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { HOOK_PLACES, type HookPlaceLimits, HookPlaces, type HookTurn } from './hook-places.ts';

const ACME = parseWorkspaceId('acme');
const BETA = parseWorkspaceId('beta');
const GAMMA = parseWorkspaceId('gamma');
const telling = (workspace: HookTurn['workspace']): HookTurn => ({ workspace, isAwaited: false });
const awaited = (workspace: HookTurn['workspace']): HookTurn => ({ workspace, isAwaited: true });

/** Who came to a place, in order; each is given back by its name. */
function openPlaces(limits: Partial<HookPlaceLimits> = {}) {
  const places = new HookPlaces({ ...HOOK_PLACES, ...limits });
  const end = new AbortController();
  const came: string[] = [];
  const held = new Map<string, Disposable>();
  return {
    came,
    take(name: string, turn: HookTurn, signal = end.signal): Promise<void> {
      const taken = places.take(turn, signal).then((place) => {
        came.push(name);
        held.set(name, place);
      });
      taken.catch(() => {}); // Whoever waits for it hears of it.
      return taken;
    },
    async leave(name: string): Promise<void> {
      held.get(name)?.[Symbol.dispose]();
      await settled();
    },
    [Symbol.dispose]: () => end.abort(),
  };
}

/** Everything that can go on has. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('places for hooks', () => {
  it('are not all taken by what one workspace tells, nor by what all of them tell', async () => {
    using t = openPlaces({ places: 6, ofWorkspace: 4, telling: 3, tellingOfWorkspace: 2 });
    for (let count = 1; count <= 10; count++) void t.take(`acme tells ${count}`, telling(ACME));
    for (let count = 1; count <= 10; count++) void t.take(`beta tells ${count}`, telling(BETA));
    await settled();
    expect(t.came).toEqual(['acme tells 1', 'acme tells 2', 'beta tells 1']);
    for (const name of ['acme asks 1', 'acme asks 2', 'acme asks 3']) void t.take(name, awaited(ACME));
    void t.take('beta asks', awaited(BETA));
    await settled();
    expect(t.came.slice(3)).toEqual(['acme asks 1', 'acme asks 2', 'beta asks']);
  });

  it('go first to those that calls wait for, then to the workspace that has the fewest', async () => {
    using t = openPlaces({ places: 3, ofWorkspace: 3, telling: 2, tellingOfWorkspace: 1 });
    await t.take('1', awaited(ACME));
    await t.take('2', awaited(ACME));
    await t.take('3', telling(BETA));
    for (const [name, turn] of [['tells', telling(GAMMA)], ['asks', awaited(ACME)], ['again', awaited(ACME)], ['other', awaited(BETA)]] as const) void t.take(name, turn); // biome-ignore format: one line
    await t.leave('3');
    expect(t.came.slice(3)).toEqual(['other']);
    await t.leave('1');
    expect(t.came.slice(4)).toEqual(['asks']);
    await t.leave('2');
    await t.leave('asks');
    expect(t.came.slice(5)).toEqual(['again', 'tells']);
  });

  it('are given back once', async () => {
    using t = openPlaces({ places: 1 });
    await t.take('1', awaited(ACME));
    void t.take('2', awaited(ACME));
    void t.take('3', awaited(ACME));
    await t.leave('1');
    await t.leave('1');
    expect(t.came).toEqual(['1', '2']);
  });

  it('are not waited for without end', async () => {
    using t = openPlaces({ places: 1, waitMs: 1 });
    await t.take('1', awaited(ACME));
    await expect(t.take('2', awaited(BETA))).rejects.toThrow('no place for 1 ms');
    await t.leave('1');
    await t.take('3', awaited(ACME));
    expect(t.came).toEqual(['1', '3']);
  });

  it('are left to others by whoever has enough of waiting', async () => {
    using t = openPlaces({ places: 1 });
    const enough = new AbortController();
    await t.take('1', awaited(ACME));
    const given = t.take('2', awaited(ACME), enough.signal);
    void t.take('3', awaited(ACME));
    enough.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await t.leave('1');
    expect(t.came).toEqual(['1', '3']);
    await expect(t.take('4', awaited(BETA), enough.signal)).rejects.toThrow('enough');
  });
});
