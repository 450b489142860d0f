import { Fault, isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { connect } from './index.ts';
import { repeatCall } from './repeat-call.ts';
import { answerResult, Peer } from './test-support/peer.ts';

const OPEN = new AbortController().signal;
const unavailable = (): Fault => new Fault('unavailable', 'Cannot reach it', { details: { is_sent: true } });
const isOf =
  (code: string) =>
  (error: unknown): boolean =>
    isFault(error) && error.code === code;

/** Fails so often, then answers. */
function failing(times: number, fault = unavailable()): { attempts: number; attempt: () => Promise<string> } {
  const state = {
    attempts: 0,
    async attempt() {
      if (++state.attempts <= times) throw fault;
      return 'done';
    },
  };
  return state;
}

const options = { attemptsMax: 3, signal: undefined, isClosing: OPEN, random: () => 0 };

describe('repeatCall', () => {
  it('tries again what passes, no more often than it may', async () => {
    const twice = failing(2);
    expect(await repeatCall(twice.attempt, options)).toBe('done');
    expect(twice.attempts).toBe(3);
    const more = failing(3);
    await expect(repeatCall(more.attempt, options)).rejects.toSatisfy(isOf('unavailable'));
    expect(more.attempts).toBe(3);
  });

  it('does not try again what will be the same', async () => {
    const denied = failing(1, new Fault('permission_denied', 'Cannot do it'));
    await expect(repeatCall(denied.attempt, options)).rejects.toSatisfy(isOf('permission_denied'));
    expect(denied.attempts).toBe(1);
  });

  it('waits as long as the daemon asks, and leaves a longer wait to the caller', async () => {
    const startedAt = performance.now();
    await repeatCall(failing(1, new Fault('rate_limited', 'Cannot answer', { details: { retry_after_ms: 200 } })).attempt, options);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(199);
    const late = failing(1, new Fault('rate_limited', 'Cannot answer', { details: { retry_after_ms: 60_000 } }));
    await expect(repeatCall(late.attempt, options)).rejects.toSatisfy(isOf('rate_limited'));
    expect(late.attempts).toBe(1);
  });

  it('ends while it waits when the signal fires, and when the client closes', async () => {
    const busy = new Fault('busy', 'Cannot answer', { details: { retry_after_ms: 29_000 } });
    const [caller, client] = [new AbortController(), new AbortController()];
    const first = repeatCall(failing(1, busy).attempt, { ...options, signal: caller.signal });
    const second = repeatCall(failing(1, busy).attempt, { ...options, isClosing: client.signal });
    caller.abort();
    client.abort();
    await expect(first).rejects.toSatisfy(isOf('aborted'));
    await expect(second).rejects.toBe(busy);
  });
});

describe('call', () => {
  it('is tried again when it only reads or does the same again, and never when it acts once', async () => {
    await using peer = await Peer.start((asked, response) =>
      peer.asked.length % 2 === 1 ? response.destroy() : answerResult(asked, response, { done: true }),
    );
    await using client = connect({ socketPath: peer.socketPath });
    expect(await client.call('kernel.info', {})).toEqual({ done: true });
    expect(await client.call('token.revoke', { token_id: 'token_1' })).toEqual({ done: true });
    expect(peer.asked).toHaveLength(4);
    await expect(client.call('token.create', {}, { attemptsMax: 9 })).rejects.toSatisfy(isOf('unavailable'));
    expect(peer.asked).toHaveLength(5);
  });

  it('waits as a proxy says that answers for a daemon that is away', async () => {
    await using peer = await Peer.start((asked, response) =>
      peer.asked.length === 1
        ? response.writeHead(503, { 'retry-after': '1', 'content-type': 'text/html' }).end('<html>')
        : answerResult(asked, response, {}),
    );
    await using client = connect({ socketPath: peer.socketPath });
    const startedAt = performance.now();
    await client.call('kernel.info', {});
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(999);
  });

  it('does not wait for ever for a server that never answers', async () => {
    await using peer = await Peer.start(() => {});
    await using client = connect({ socketPath: peer.socketPath, timeoutMs: 50 });
    await expect(client.call('kernel.info', {})).rejects.toSatisfy(isOf('deadline'));
    await expect(client.call('kernel.info', {}, { timeoutMs: 0, signal: AbortSignal.timeout(50) })).rejects.toSatisfy(isOf('aborted'));
    expect(peer.asked).toHaveLength(2);
  });
});
