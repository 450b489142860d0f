/** What a host meets when there is no room for a layer. Started in a mount namespace of its own, with two small file systems: ROOM for few bytes, ENTRIES for few names. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { isFault } from '@warren/protocol';
import { openSandboxes, type Sandbox } from '@warren/sandbox';

const [directory = '', room = '', entries = ''] = process.argv.slice(2);
const workspace = { kind: 'overlay', directory, layer: `${room}/layer` } as const;

await using sandboxes = await openSandboxes({ spares: 0 });

async function shell(sandbox: Sandbox, script: string): Promise<string> {
  const { exit, stdout, stderr } = await sandbox.run(['sh', '-c', script]);
  return `${exit.kind === 'exited' ? exit.code : exit.kind} ${Buffer.concat([stdout, stderr]).toString()}`;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'none',
    (error: unknown) => (isFault(error) ? error.code : String(error)),
  );
}

mkdirSync(workspace.layer);
{
  await using sandbox = await sandboxes.start({ workspace });
  assert.match(await shell(sandbox, 'head -c 2000000 /dev/zero > big'), /^1 .*No space left on device/);
  assert.equal(await shell(sandbox, 'rm big; echo small > file; cat file'), '0 small\n');
  assert.equal(await codeOf(sandbox.writeFile('/workspace/file', Buffer.alloc(2_000_000))), 'storage_full');
  assert.equal(await codeOf(sandbox.writeFile('/workspace/other', Buffer.alloc(2_000_000), { append: true })), 'storage_full');
  assert.equal(await shell(sandbox, 'cat file; rm other; ls -A'), '0 small\nfile\nlower\n'); // The old content, and no half-written file beside it.
  assert.match(await shell(sandbox, 'echo more >> lower; cat lower; head -c 2000000 /dev/zero > full'), /^1 lower\nmore\n.*No space/);
}
assert.equal(readFileSync(`${directory}/lower`, 'utf8'), 'lower\n');

// No room at all: it either starts (and can at least read), or says which wall it was.
const again = await sandboxes.start({ workspace }).catch((error: unknown) => error);
if (isFault(again)) {
  assert.ok(again.code === 'wall_unavailable' || again.code === 'storage_full', String(again));
} else {
  assert.equal(await shell(again as Sandbox, 'cat lower'), '0 lower\nmore\n');
  await (again as Sandbox)[Symbol.asyncDispose]();
}

// No room for the directories of a layer.
assert.equal(await codeOf(sandboxes.start({ workspace: { ...workspace, layer: entries } })), 'storage_full');
// And nobody else is the worse for it.
await using other = await sandboxes.start({});
assert.equal(await shell(other, 'echo fine'), '0 fine\n');
console.log('full disk: done');
