/** `warren mcp` as programs start it. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS, SHIPPED, User } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

type Reply = {
  readonly id?: unknown;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number };
};

/** Every line of its output has to be a message. */
class Program implements Disposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  send(message: object): void {
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  async next(): Promise<Reply> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('It has ended');
    return JSON.parse(value) as Reply;
  }

  async begin(): Promise<void> {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    this.send({ id: 0, method: 'initialize', params });
    expect(await this.next()).toMatchObject({ id: 0, result: { serverInfo: { name: 'warren' } } });
    this.send({ method: 'notifications/initialized' });
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

it('speaks the protocol and nothing else, and ends with its input', async () => {
  await using os = await GateDaemon.start();
  await os.startAgent('builder');
  using program = new Program(os.user.start(['mcp', '--agent', 'builder']));
  await program.begin();
  program.send({ id: 1, method: 'tools/call', params: { name: 'system__echo', arguments: { text: 'a\nb' } } });
  expect(await program.next()).toMatchObject({ id: 1, result: { structuredContent: { text: 'a\nb' } } });
  program.child.stdin.write('{\n');
  expect(await program.next()).toMatchObject({ error: { code: -32700 } });
  program.send({ id: 2, method: 'ping' });
  program.child.stdin.end();
  expect(await program.next()).toMatchObject({ id: 2, result: {} });
  const [code] = await once(program.child, 'close');
  expect(code).toBe(0);
});

it('goes on with a daemon that was killed and started again', async () => {
  await using os = await GateDaemon.start();
  await os.startAgent('builder');
  using program = new Program(os.user.start(['mcp', '--agent', 'builder']));
  await program.begin();
  await os.killAndStart();
  expect(await program.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
  program.send({ id: 1, method: 'tools/call', params: { name: 'system__echo', arguments: { text: 'again' } } });
  expect(await program.next()).toMatchObject({ id: 1, result: { structuredContent: { text: 'again' } } });
});

it('says what is missing on standard error, and what to do', async () => {
  await using os = await GateDaemon.start();
  const noAgent = await os.warren(['mcp', '--agent', 'nobody']);
  expect([noAgent.code, noAgent.stdout]).toEqual([1, '']);
  expect(noAgent.stderr).toMatch(/agent "nobody": there is no agent of this name[\s\S]*warren agent create nobody/);
  const unnamed = await os.warren(['mcp']);
  expect([unnamed.code, unnamed.stdout]).toEqual([2, '']);
  await using user = await User.create(SHIPPED);
  const noDaemon = await user.warren(['mcp', '--agent', 'builder']);
  expect([noDaemon.code, noDaemon.stdout]).toEqual([1, '']);
  expect(noDaemon.stderr).toContain('warren serve --detach');
});
