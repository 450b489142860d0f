import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { readHostFacts } from './host-facts.ts';
import { prepareLayer } from './layer-directories.ts';
import { TestWorkspace } from './test-support/workspace.ts';

const FACTS = readHostFacts({ controllers: {}, unified: undefined }, 0);
const isRoot = FACTS.uid === 0;

function prepare(workspace: TestWorkspace): string {
  try {
    prepareLayer(workspace.directory, workspace.layer, FACTS);
    return 'done';
  } catch (error) {
    return isFault(error) ? error.code : String(error);
  }
}

describe('prepareLayer', () => {
  it("makes two directories that are the owner's of the workspace, the upper one with its mode", async () => {
    await using workspace = await TestWorkspace.create(isRoot ? 12_345 : undefined);
    chmodSync(workspace.directory, 0o750);
    expect(prepare(workspace)).toBe('done');
    const upper = lstatSync(`${workspace.layer}/upper`);
    const work = lstatSync(`${workspace.layer}/work`);
    const { uid, gid } = lstatSync(workspace.directory);
    expect([upper.uid, upper.gid, upper.mode & 0o7777, work.uid, work.gid]).toEqual([uid, gid, 0o750, uid, gid]);
    expect(work.mode & 0o077).toBe(0);
  });

  it('leaves what is there as it is', async () => {
    await using workspace = await TestWorkspace.create();
    expect(prepare(workspace)).toBe('done');
    chmodSync(`${workspace.layer}/upper`, 0o711); // As a sandbox may have done from inside.
    writeFileSync(`${workspace.layer}/upper/file`, 'x');
    expect(prepare(workspace)).toBe('done');
    expect(lstatSync(`${workspace.layer}/upper`).mode & 0o777).toBe(0o711);
    expect(lstatSync(`${workspace.layer}/upper/file`).size).toBe(1);
  });

  it('refuses what is no directory, and follows no link', async () => {
    for (const name of ['upper', 'work']) {
      await using workspace = await TestWorkspace.create();
      await using victim = await TestWorkspace.create();
      if (isRoot) chownSync(victim.directory, 777, 777);
      symlinkSync(victim.directory, `${workspace.layer}/${name}`);
      expect(prepare(workspace)).toBe('invalid_argument');
      if (isRoot) expect(lstatSync(victim.directory).uid).toBe(777);
      await using other = await TestWorkspace.create();
      writeFileSync(`${other.layer}/${name}`, '');
      expect(prepare(other)).toBe('invalid_argument');
      await using dangling = await TestWorkspace.create();
      symlinkSync('none', `${dangling.layer}/${name}`);
      expect(prepare(dangling)).toBe('invalid_argument');
    }
  });

  it('makes nothing else', async () => {
    await using workspace = await TestWorkspace.create();
    mkdirSync(workspace.join('a'));
    prepare(workspace);
    expect(lstatSync(workspace.layer).nlink).toBe(4); // Its own two names, and one in each of the two.
  });
});
