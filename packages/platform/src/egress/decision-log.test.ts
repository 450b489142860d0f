import type { JsonObject } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { DecisionLog } from './decision-log.ts';

type Append = { readonly payload: JsonObject; readonly resolve: () => void; readonly reject: (error: Error) => void };

const asked = (path = '/', rest: { readonly method?: string; readonly host?: string } = {}) => ({
  ...{ method: 'POST', host: 'api.test', port: 443, path },
  ...rest,
});
const refused = (path: string) =>
  ({ ...asked(path, { method: 'GET', host: 'junk.test' }), kind: 'denied', reason: 'host_not_allowed' }) as const;

/** A disk that is as slow as a test likes, and says when something comes. */
class SlowDisk {
  readonly appends: Append[] = [];
  #onAppend = Promise.withResolvers<void>();

  readonly append = (payload: JsonObject): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.appends.push({ payload, resolve, reject });
    this.#onAppend.resolve();
    this.#onAppend = Promise.withResolvers<void>();
    return promise;
  };

  async at(index: number): Promise<Append> {
    for (;;) {
      const append = this.appends[index];
      if (append !== undefined) return append;
      await this.#onAppend.promise;
    }
  }
}

/** Keeps what it is given, or not. */
function disk(isBroken: (index: number) => boolean = () => false) {
  const tried: JsonObject[] = [];
  const written: JsonObject[] = [];
  const append = async (payload: JsonObject): Promise<void> => {
    tried.push(payload);
    if (isBroken(tried.length - 1)) throw new Error('no space left');
    written.push(payload);
  };
  return { append, written };
}

describe('what is allowed', () => {
  it('first of its kind is on disk before it may happen; later ones wait for nothing', async () => {
    const slow = new SlowDisk();
    const log = new DecisionLog(slow.append);
    let isAllowed = false;
    const allowing = log.allow(asked('/a')).then(() => {
      isAllowed = true;
    });
    const first = await slow.at(0);
    expect(first.payload).toEqual({ decisions: [{ verdict: 'allowed', ...asked('/a'), count: 1 }] });
    expect(isAllowed).toBe(false);
    first.resolve();
    await allowing;
    await log.allow(asked('/b'));
    expect(slow.appends).toHaveLength(1);
    const other = log.allow(asked('/b', { method: 'PUT' }));
    const second = await slow.at(1);
    expect(second.payload['decisions']).toMatchObject([
      { method: 'POST', path: '/b' },
      { method: 'PUT', path: '/b' },
    ]);
    second.resolve();
    await other;
  });

  it('is named however much was refused before it', async () => {
    const { append, written } = disk();
    await using log = new DecisionLog(append);
    for (let each = 0; each < 100; each++) log.refuse(refused(`/junk/${each}`));
    await log.allow(asked('/out'));
    expect(written).toHaveLength(2);
    expect(written[0]).toMatchObject({ more: 36 });
    expect(written[0]?.['decisions']).toHaveLength(64);
    expect(written[1]).toEqual({ decisions: [{ verdict: 'allowed', ...asked('/out'), count: 1 }] });
  });

  it('is named while more is refused than can be written, and its event is awaited', async () => {
    const slow = new SlowDisk();
    const log = new DecisionLog(slow.append);
    const before = log.allow(asked('/before', { host: 'first.test' }));
    const busy = await slow.at(0);
    for (let each = 0; each < 64; each++) log.refuse(refused(`/one/${each}`));
    const allowed: string[] = [];
    const allow = (host: string) => log.allow(asked('/out', { host })).then(() => allowed.push(host));
    const allowing = [allow('a.test'), allow('b.test')];
    for (let each = 0; each < 100; each++) log.refuse(refused(`/two/${each}`));
    const last = allow('c.test');
    busy.resolve();
    await before;
    (await slow.at(1)).resolve();
    const second = await slow.at(2);
    expect(allowed).toEqual([]);
    expect(second.payload['decisions']).toMatchObject([{ host: 'a.test' }, { host: 'b.test' }, { path: '/two/0' }, ...Array(61).fill({})]);
    expect(second.payload['more']).toBe(38);
    second.resolve();
    const third = await slow.at(3);
    expect(third.payload['decisions']).toMatchObject([{ host: 'c.test' }]);
    third.resolve();
    await Promise.all([...allowing, last]);
    expect(allowed.toSorted()).toEqual(['a.test', 'b.test', 'c.test']);
  });

  it('does not happen when it cannot be recorded, though what comes after it can', async () => {
    const slow = new SlowDisk();
    const log = new DecisionLog(slow.append);
    const first = log.allow(asked('/', { host: 'first.test' }));
    const running = await slow.at(0);
    const lost = log.allow(asked('/', { host: 'lost.test' }));
    const refusal = expect(lost).rejects.toMatchObject({ code: 'unavailable' });
    const alsoLost = expect(log.allow(asked('/', { host: 'lost.test' }))).rejects.toMatchObject({ code: 'unavailable' });
    running.resolve();
    await first;
    const failing = await slow.at(1);
    const kept = log.allow(asked('/', { host: 'kept.test' }));
    failing.reject(new Error('no space left'));
    (await slow.at(2)).resolve();
    await kept;
    await Promise.all([refusal, alsoLost]);
    const again = log.allow(asked('/', { host: 'lost.test' }));
    (await slow.at(3)).resolve();
    await again;
    expect(slow.appends[2]?.payload).toMatchObject({ decisions: [{ host: 'kept.test' }], more: 2 });
    expect(slow.appends[3]?.payload).toMatchObject({ decisions: [{ host: 'lost.test' }] });
  });

  it('is on disk each time as long as nothing could be written', async () => {
    const { append, written } = disk((index) => index === 1);
    await using log = new DecisionLog(append);
    await log.allow(asked('/a'));
    await expect(log.allow(asked('/b', { host: 'other.test' }))).rejects.toMatchObject({ code: 'unavailable' });
    await log.allow(asked('/c'));
    expect(written.at(-1)).toEqual({ decisions: [{ verdict: 'allowed', ...asked('/c'), count: 1 }], more: 1 });
  });
});

it('equal decisions are one with a count, and the last are written when it ends', async () => {
  const { append, written } = disk();
  {
    await using log = new DecisionLog(append);
    for (let each = 0; each < 3; each++) log.refuse(refused(`/${'x'.repeat(300)}${each}`));
    log.refuse({ ...refused('/'), kind: 'failed', reason: 'not_connected' });
  }
  expect(written).toEqual([
    {
      decisions: [
        {
          verdict: 'denied',
          ...asked(`/${'x'.repeat(255)}`, { method: 'GET', host: 'junk.test' }),
          count: 3,
          reason: 'host_not_allowed',
        },
        { verdict: 'failed', ...asked('/', { method: 'GET', host: 'junk.test' }), count: 1, reason: 'not_connected' },
      ],
    },
  ]);
});
