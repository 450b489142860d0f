import type { SignalName } from '@warren/sandbox';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SignalRelay } from './signal-relay.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start(): { readonly relay: SignalRelay; readonly said: string[] } {
  const said: string[] = [];
  const relay = new SignalRelay({
    now: () => Date.now(),
    onKill: (because) => said.push(`killed because of ${because}`),
    onInsist: (because) => said.push(`left because of ${because}`),
  });
  return { relay, said };
}

function startAttached(): { readonly relay: SignalRelay; readonly said: string[] } {
  const { relay, said } = start();
  relay.attach({ kill: (signal: SignalName, scope: string) => said.push(`${signal} to the ${scope}`) });
  return { relay, said };
}

const KILLED_BY_INTERRUPT = ['SIGINT to the group', 'SIGKILL to the tree', 'killed because of SIGINT'];

describe('SignalRelay', () => {
  it('passes one Ctrl-C on to the process group', () => {
    const { relay, said } = startAttached();
    relay.receive('SIGINT');
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual(['SIGINT to the group']);
    expect(relay.killedBy).toBeUndefined();
  });

  it('kills the tree at a second Ctrl-C within two seconds', () => {
    const { relay, said } = startAttached();
    relay.receive('SIGINT');
    vi.advanceTimersByTime(2_000);
    relay.receive('SIGINT');
    expect(said).toEqual(KILLED_BY_INTERRUPT);
    expect(relay.killedBy).toBe('SIGINT');
  });

  it('passes a second Ctrl-C on when it comes later', () => {
    const { relay, said } = startAttached();
    relay.receive('SIGINT');
    vi.advanceTimersByTime(2_001);
    relay.receive('SIGINT');
    expect(said).toEqual(['SIGINT to the group', 'SIGINT to the group']);
    vi.advanceTimersByTime(1_000);
    relay.receive('SIGINT');
    expect(relay.killedBy).toBe('SIGINT');
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('passes %s on and kills what is still there two seconds later', (signal) => {
    const { relay, said } = startAttached();
    relay.receive(signal);
    vi.advanceTimersByTime(1_999);
    expect(said).toEqual([`${signal} to the group`]);
    vi.advanceTimersByTime(1);
    expect(said).toEqual([`${signal} to the group`, 'SIGKILL to the tree', `killed because of ${signal}`]);
  });

  it('kills at once at a second SIGTERM', () => {
    const { relay, said } = startAttached();
    relay.receive('SIGTERM');
    relay.receive('SIGTERM');
    expect(said.slice(1)).toEqual(['SIGKILL to the tree', 'killed because of SIGTERM']);
  });

  it('does not kill after the command has ended', () => {
    const { relay, said } = startAttached();
    relay.receive('SIGTERM');
    relay[Symbol.dispose]();
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual(['SIGTERM to the group']);
  });

  it('kills once, and leaves at once when somebody insists', () => {
    const { relay, said } = startAttached();
    for (let count = 0; count < 3; count++) relay.receive('SIGINT');
    relay.receive('SIGUSR1');
    relay.receive('SIGTERM');
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual([...KILLED_BY_INTERRUPT, 'left because of SIGINT', 'left because of SIGINT']);
  });

  it('passes SIGUSR1 on and never kills for it', () => {
    const { relay, said } = startAttached();
    relay.receive('SIGUSR1');
    relay.receive('SIGUSR1');
    relay.receive('SIGINT');
    relay.receive('SIGUSR2');
    expect(said).toEqual(['SIGUSR1 to the group', 'SIGUSR1 to the group', 'SIGINT to the group', 'SIGUSR2 to the group']);
  });

  it('ends the start when the command does not run yet', () => {
    const { relay, said } = start();
    relay.receive('SIGUSR1');
    relay.receive('SIGINT');
    expect(said).toEqual(['killed because of SIGINT']);
  });
});
