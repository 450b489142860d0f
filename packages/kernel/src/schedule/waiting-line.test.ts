import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { WaitingLine } from './waiting-line.ts';

const HERE = DEFAULT_WORKSPACE;
const LONG = 60_000;
const never = () => new AbortController().signal;

describe('the waiting line', () => {
  it('calls as many as there is work for, who came first first', async () => {
    const line = new WaitingLine();
    const called: number[] = [];
    const waits = [1, 2, 3].map((name) => line.wait(LONG, false, never()).then((isCalled) => isCalled && called.push(name)));
    line.makeReady(HERE, 2);
    await Promise.all(waits.slice(0, 2));
    expect([called, line.length]).toEqual([[1, 2], 1]);
    line.passOn();
    await waits[2];
    expect(called).toEqual([1, 2, 3]);
  });

  it('lets who was called in vain wait in front', async () => {
    const line = new WaitingLine();
    const called: string[] = [];
    const wait = (name: string, isAgain: boolean) => line.wait(LONG, isAgain, never()).then(() => called.push(name));
    const waits = [wait('new', false), wait('again', true)];
    line.makeReady(HERE, 1);
    await waits[1];
    line.makeReady(HERE, 1);
    await waits[0];
    expect(called).toEqual(['again', 'new']);
  });

  it('forgets a workspace where nothing was found, unless something happened there meanwhile', () => {
    const line = new WaitingLine();
    line.makeReady(HERE, 1);
    const mark = line.mark(HERE);
    line.makeReady(HERE, 1);
    line.foundNothing(HERE, mark);
    expect(line.ready).toEqual([HERE]);
    line.foundNothing(HERE, line.mark(HERE));
    expect(line.ready).toEqual([]);
  });

  it('passes nothing on when there is nothing', async () => {
    const line = new WaitingLine();
    const waiting = line.wait(1, false, never());
    line.passOn();
    expect(await waiting).toBe(false);
    expect(line.length).toBe(0);
  });

  it('lets go of who gives up, before and while waiting', async () => {
    const line = new WaitingLine();
    expect(await line.wait(LONG, false, AbortSignal.abort())).toBe(false);
    const stop = new AbortController();
    const waits = [line.wait(LONG, false, never()), line.wait(LONG, false, stop.signal), line.wait(LONG, false, never())];
    stop.abort();
    expect([await waits[1], line.length]).toEqual([false, 2]);
    line.makeReady(HERE, 5);
    expect(await Promise.all(waits)).toEqual([true, false, true]);
  });
});
