import { existsSync } from 'node:fs';
import { discoveryPath, readDiscovery } from '@warren/client';
import { Fault, isFault } from '@warren/protocol';
import type { TerminalSize } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import type { Daemon, DaemonRequest } from '../internal/daemon.ts';
import type { Detached, DetachOptions } from '../internal/detach.ts';
import { formatListenAddress } from '../internal/listen-address.ts';
import type { ServeFlags } from '../program/daemon-commands.ts';
import { FakeHost } from '../test-support/fake-host.ts';
import { type ServeParts, serve } from './serve.ts';

/** A daemon that listens nowhere and keeps nothing, and what became of it. */
class Stage implements AsyncDisposable {
  readonly host: FakeHost;
  readonly state: string;
  readonly requests: DaemonRequest[] = [];
  readonly detached: DetachOptions[] = [];
  readonly ready: string[] = [];
  readonly stops: (number | undefined)[] = [];
  readonly asked = Promise.withResolvers<{ readonly drainMs: number }>();
  reloads = 0;
  /** What reloading waits for. */
  reloading: Promise<void> | undefined;
  /** What stopping waits for. */
  draining: Promise<void> | undefined;
  failure: unknown;
  outcome: Detached = {
    kind: 'ready',
    pid: 7,
    line: JSON.stringify({ pid: 7, version: '0', state: '/s', addresses: ['unix:/s/warren.sock'] }),
  };
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory, terminal: { readonly terminal?: TerminalSize }) {
    this.host = new FakeHost({ cwd: '/here', ...terminal });
    this.#directory = directory;
    this.state = directory.path;
  }

  static async create(terminal: { readonly terminal?: TerminalSize } = {}): Promise<Stage> {
    return new Stage(await TemporaryDirectory.create(), terminal);
  }

  serve(flags: Partial<ServeFlags> = {}): Promise<number> {
    const parts: ServeParts = {
      openState: () => this.state,
      startDaemon: async (request): Promise<Daemon> => {
        this.requests.push(request);
        if (this.failure !== undefined) throw this.failure;
        return {
          fingerprint: undefined,
          addresses: request.listen.map(formatListenAddress),
          stopRequested: this.asked.promise,
          reload: async () => {
            this.reloads++;
            await this.reloading;
          },
          stop: async (options) => {
            this.stops.push(options?.drainMs);
            await this.draining;
          },
        };
      },
      startDetached: async (options) => {
        this.detached.push(options);
        return this.outcome;
      },
      tellReady: (line) => void this.ready.push(line),
      pid: 4711,
    };
    return serve({ tcp: true, ...flags }, this.host, parts);
  }

  /** Serves, and resolves once it has said so. */
  async begin(flags: Partial<ServeFlags> = {}): Promise<{ readonly serving: Promise<number> }> {
    const serving = this.serve(flags);
    while (!this.host.stdout.text.endsWith('\n') && this.failure === undefined) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    return { serving };
  }

  get listening(): readonly string[] {
    return this.requests[0]?.listen.map(formatListenAddress) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

describe('serve', () => {
  it('writes where it is before it says so, and takes it back at the end', async () => {
    await using stage = await Stage.create();
    const { serving } = await stage.begin();
    expect(readDiscovery(stage.state)).toEqual({
      pid: 4711,
      started_at: stage.host.nowMs / 1_000,
      version: expect.any(String),
      addresses: [`unix:${stage.state}/warren.sock`, 'tcp:127.0.0.1:7700'],
    });
    expect(stage.ready).toHaveLength(1);
    stage.host.send('SIGTERM');
    expect(await serving).toBe(0);
    expect(existsSync(discoveryPath(stage.state))).toBe(false);
    expect(stage.host.listeners).toBe(0);
  });

  it.each<[string, Partial<ServeFlags>, readonly string[]]>([
    ['the defaults', {}, ['unix:STATE/warren.sock', 'tcp:127.0.0.1:7700']],
    ['no TCP', { tcp: false }, ['unix:STATE/warren.sock']],
    ['another port beside the socket', { listen: ['tcp:[::1]:80'] }, ['unix:STATE/warren.sock', 'tcp:[::1]:80']],
    ['another socket beside the port', { listen: ['unix:w.sock'] }, ['unix:/here/w.sock', 'tcp:127.0.0.1:7700']],
    ['all it is told', { listen: ['tcp:127.0.0.1:1', 'unix:/w', 'tcp:127.0.0.1:2'] }, ['unix:/w', 'tcp:127.0.0.1:1', 'tcp:127.0.0.1:2']],
  ])('listens at %s', async (_, flags, addresses) => {
    await using stage = await Stage.create();
    const { serving } = await stage.begin(flags);
    expect(stage.listening).toEqual(addresses.map((address) => address.replace('STATE', stage.state)));
    stage.host.send('SIGINT');
    await serving;
  });

  it('drains as long as it is asked to when it is asked over the wire', async () => {
    await using stage = await Stage.create();
    const { serving } = await stage.begin();
    stage.asked.resolve({ drainMs: 1_234 });
    expect(await serving).toBe(0);
    expect(stage.stops[0]).toBe(1_234);
  });

  it('waits no longer at the second signal, and ends at once at the third', async () => {
    await using stage = await Stage.create();
    const drained = Promise.withResolvers<void>();
    stage.draining = drained.promise;
    const { serving } = await stage.begin();
    stage.host.send('SIGTERM');
    while (stage.stops.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stage.host.send('SIGTERM');
    expect(stage.stops).toEqual([undefined, 0]);
    expect(() => stage.host.send('SIGTERM')).toThrow('left with 143');
    drained.resolve();
    expect(await serving).toBe(0);
  });

  it('waits no longer at a signal after it was asked over the wire', async () => {
    await using stage = await Stage.create();
    const drained = Promise.withResolvers<void>();
    stage.draining = drained.promise;
    const { serving } = await stage.begin();
    stage.asked.resolve({ drainMs: 60_000 });
    while (stage.stops.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stage.host.send('SIGTERM');
    expect(stage.stops).toEqual([60_000, 0]);
    drained.resolve();
    expect(await serving).toBe(0);
  });

  it('ends in order also when the signal came while it was starting', async () => {
    await using stage = await Stage.create();
    const serving = stage.serve();
    stage.host.send('SIGTERM');
    expect(await serving).toBe(0);
    expect(stage.stops.length).toBeGreaterThan(0);
  });

  it('reloads at SIGHUP, and once more however often that came meanwhile', async () => {
    await using stage = await Stage.create();
    const first = Promise.withResolvers<void>();
    stage.reloading = first.promise;
    const serving = stage.serve();
    stage.host.send('SIGHUP'); // Also when it is starting yet.
    while (stage.reloads === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let count = 0; count < 5; count++) stage.host.send('SIGHUP');
    first.resolve();
    while (stage.reloads < 2) await new Promise((resolve) => setImmediate(resolve));
    stage.host.send('SIGTERM');
    stage.host.send('SIGHUP');
    expect(await serving).toBe(0);
    expect(stage.reloads).toBe(2);
  });

  it('reloads no more once it was told to end over the wire', async () => {
    await using stage = await Stage.create();
    const [reloaded, drained] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    stage.reloading = reloaded.promise;
    stage.draining = drained.promise;
    const { serving } = await stage.begin();
    stage.host.send('SIGHUP');
    while (stage.reloads === 0) await new Promise((resolve) => setImmediate(resolve));
    stage.asked.resolve({ drainMs: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    stage.host.send('SIGHUP'); // While it waits for the first.
    reloaded.resolve();
    while (stage.stops.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stage.host.send('SIGHUP'); // While it is closing.
    await new Promise((resolve) => setImmediate(resolve));
    drained.resolve();
    expect(await serving).toBe(0);
    expect(stage.reloads).toBe(1);
  });

  it('goes on when it cannot reload, and says why', async () => {
    await using stage = await Stage.create();
    const failing = Promise.withResolvers<void>();
    stage.reloading = failing.promise;
    const { serving } = await stage.begin();
    stage.host.send('SIGHUP');
    while (stage.reloads === 0) await new Promise((resolve) => setImmediate(resolve));
    failing.reject(new Error('the audit is full'));
    while (!stage.host.stderr.text.includes('the audit is full')) await new Promise((resolve) => setImmediate(resolve));
    stage.host.send('SIGTERM');
    expect(await serving).toBe(0);
  });

  it('ends at SIGHUP when it has a terminal, which is gone then', async () => {
    await using stage = await Stage.create({ terminal: { columns: 80, rows: 24 } });
    const { serving } = await stage.begin();
    stage.host.send('SIGHUP');
    expect(await serving).toBe(0);
    expect(stage.reloads).toBe(0);
  });

  it('adds what to do to a failure to start, and leaves nothing behind', async () => {
    await using stage = await Stage.create();
    stage.failure = new Fault('busy', 'Cannot open the state directory: process 7 has it open', { details: { pid: 7 } });
    const error = await stage.serve({ state: '/s' }).catch((caught: unknown) => caught);
    expect(isFault(error, 'busy') && error.details).toEqual({ pid: 7, fix: 'warren status --state /s, or: warren stop --state /s' });
    expect(existsSync(discoveryPath(stage.state))).toBe(false);
    expect(stage.host.listeners).toBe(0);
  });
});

describe('serve --detach', () => {
  it('starts itself with everything spelled out, for there is another directory', async () => {
    await using stage = await Stage.create();
    expect(await stage.serve({ detach: true, listen: ['unix:w.sock'], recovery: 'suspend' })).toBe(0);
    expect(stage.detached[0]?.words).toEqual([
      ...['serve', '--state', stage.state, '--listen', 'unix:/here/w.sock', '--listen', 'tcp:127.0.0.1:7700', '--recovery', 'suspend'],
    ]);
    expect(stage.requests).toEqual([]);
    expect(stage.host.stdout.text).toContain('as process 7\n  unix:/s/warren.sock\n');
    await stage.serve({ detach: true, tcp: false });
    expect(stage.detached[1]?.words).toEqual(['serve', '--state', stage.state, '--listen', `unix:${stage.state}/warren.sock`, '--no-tcp']);
  });

  it('passes on how it failed, and its last words', async () => {
    await using stage = await Stage.create();
    stage.outcome = { kind: 'ended', code: 3, lastWords: 'warren: cannot …\n' };
    expect(await stage.serve({ detach: true })).toBe(3);
    expect(stage.host.stderr.text).toMatch(/^warren: cannot …\nwarren: the daemon did not start; its log is .*daemon\.log\n$/);
    stage.outcome = { kind: 'ended', code: 0, lastWords: '' };
    expect(await stage.serve({ detach: true })).toBe(1);
  });
});
