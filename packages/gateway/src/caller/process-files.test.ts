import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { openTestGateway } from '../test-support/open-test-gateway.ts';
import { createProcessFiles } from './process-files.ts';

/** The file of a process, which changes hands in the moment after it was looked at. */
async function openRace() {
  const on = await openTestGateway();
  const { processes, files, grants, taints } = on.kernel.workspace(DEFAULT_WORKSPACE);
  const [mine, theirs] = [await processes.create({ name: 'a', template: 't' }), await processes.create({ name: 'b', template: 't' })];
  await files.write(mine.pid, { path: '/a' }, Buffer.from('mine'));
  let isNext = true;
  const find: typeof files.find = async (path) => {
    const stat = await files.find(path);
    if (isNext) {
      isNext = false;
      await files.delete(path);
      await files.write(theirs.pid, { path }, Buffer.from('theirs'));
    }
    return stat;
  };
  const racing = createProcessFiles({ pid: mine.pid, files: { ...files, find }, grants, taints });
  return { pid: mine.pid, theirs: theirs.pid, files, racing, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

describe('a file that another process creates anew between looking and acting', () => {
  const denied = expect.objectContaining({ code: 'permission_denied' });

  it('is not written over, nor deleted', async () => {
    await using write = await openRace();
    await expect(write.racing.write(write.pid, { path: '/a' }, Buffer.from('mine again'))).rejects.toEqual(denied);
    await using remove = await openRace();
    await expect(remove.racing.delete('/a', { writer: remove.pid })).rejects.toEqual(denied);
    for (const { files, theirs } of [write, remove]) expect(await files.stat('/a')).toMatchObject({ owner: theirs, size: 6 });
  });

  it('is not read', async () => {
    await using read = await openRace();
    await expect(read.racing.read('/a')).rejects.toEqual(denied);
    await using open = await openRace();
    await expect(open.racing.open('/a')).rejects.toEqual(denied);
  });
});
