import { openKernel } from '@warren/kernel';
import { isFault } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { createLocalCalls } from './local-calls.ts';

it('calls without a wire take the same way: parsed, answered and refused alike', async () => {
  await using directory = await TemporaryDirectory.create();
  {
    await using kernel = await openKernel({ directory: directory.path });
    const call = createLocalCalls(kernel, '1.2.3');
    const { pid } = await call('kernel.agent.create', { name: 'a', template: 't' });
    expect((await call('kernel.agent.get', { pid })).name).toBe('a');
    expect(await call('daemon.status', {})).toMatchObject({ version: '1.2.3', addresses: [], workspaces: 1 });
    await call('workspace.create', { workspace: 'acme' });
    expect((await call('kernel.agent.list', {}, { workspace: 'acme' })).total).toBe(0);

    const failed = async (calling: Promise<unknown>): Promise<unknown> =>
      await calling.catch((error: unknown) => (isFault(error) ? error.code : Promise.reject(error)));
    expect(await failed(call('kernel.agent.get', { pid: 'x' as never }))).toBe('invalid_argument');
    expect(await failed(call('kernel.agent.get', { pid: 99 }))).toBe('unknown_pid');
    expect(await failed(call('kernel.agent.list', {}, { workspace: 'nobody' }))).toBe('not_found');
    expect(await failed(call('daemon.stop', {}))).toBe('unsupported');
  }
  await using kernel = await openKernel({ directory: directory.path, isReadOnly: true });
  const call = createLocalCalls(kernel, '1.2.3');
  expect((await call('kernel.agent.list', {})).total).toBe(1);
  await expect(call('kernel.agent.create', { name: 'b', template: 't' })).rejects.toMatchObject({ code: 'store_failed' });
});
