/** Directories of the host inside: whose they are, what reaches the disk, and what does not. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandboxes } from '../../contract.ts';
import { openSandboxes } from './open-sandboxes.ts';
import { PROFILES } from './profiles.ts';
import { contentOf, endOf, faultOf, shell } from './test-support/words.ts';
import { TestWorkspace } from './test-support/workspace.ts';

const isRoot = process.getuid?.() === 0;
const NEEDS_ROOT = 'only root may give files to others; the tests of a user show what holds for its own';
const STRANGER = 777;

let sandboxes: Sandboxes;
beforeAll(async () => {
  sandboxes = await openSandboxes();
});
afterAll(() => sandboxes[Symbol.asyncDispose]());

const ownerOf = (path: string): readonly [number, number] => [lstatSync(path).uid, lstatSync(path).gid];

describe.each(['writable', 'overlay'] as const)('a workspace that is %s', (kind) => {
  // Where what is made inside arrives on disk.
  const place = (workspace: TestWorkspace, name: string): string =>
    kind === 'overlay' ? `${workspace.layer}/upper/${name}` : workspace.join(name);

  describe.each([0, 12_345])('and belongs to %i', (owner) => {
    it("is the agent's inside, and what is made there belongs to its owner on disk", async ({ skip }) => {
      skip(!isRoot, NEEDS_ROOT);
      await using workspace = await TestWorkspace.create(owner);
      writeFileSync(workspace.join('old'), 'old');
      chownSync(workspace.join('old'), owner, owner);
      await using sandbox = await sandboxes.start({ workspace: workspace.mount(kind) });
      expect(await shell(sandbox, 'stat -c "%u %g" . old')).toBe('1000 1000\n1000 1000\n');
      await shell(sandbox, 'echo x > file; mkdir -p a/b; ln -s file link; mkfifo pipe; ln file hard; echo more >> old; chmod 700 a');
      await sandbox.writeFile('/workspace/written', 'y');
      for (const name of ['file', 'a', 'a/b', 'link', 'pipe', 'hard', 'old', 'written'])
        expect([name, ...ownerOf(place(workspace, name))]).toEqual([name, owner, owner]);
      expect(lstatSync(place(workspace, 'a')).mode & 0o777).toBe(0o700);
      expect(readFileSync(place(workspace, 'old'), 'utf8')).toBe('oldmore\n');
      if (kind === 'overlay') {
        expect(readFileSync(workspace.join('old'), 'utf8')).toBe('old');
        // Its own working place, too: nothing in the layer is anybody else's.
        for (const entry of readdirSync(workspace.layer, { recursive: true, encoding: 'utf8' }))
          expect([entry, ...ownerOf(`${workspace.layer}/${entry}`)]).toEqual([entry, owner, owner]);
      }
    });

    it('has files of strangers, which can be read and not written, whatever their mode', async ({ skip }) => {
      skip(!isRoot, NEEDS_ROOT);
      await using workspace = await TestWorkspace.create(owner);
      for (const [name, mode] of [
        ['closed', 0o600],
        ['readable', 0o644],
        ['open', 0o666],
      ] as const) {
        writeFileSync(workspace.join(name), name);
        chmodSync(workspace.join(name), mode);
        chownSync(workspace.join(name), STRANGER, STRANGER);
      }
      mkdirSync(workspace.join('folder'));
      chmodSync(workspace.join('folder'), 0o777);
      chownSync(workspace.join('folder'), STRANGER, STRANGER);
      await using sandbox = await sandboxes.start({ workspace: workspace.mount(kind) });
      expect(await shell(sandbox, 'stat -c %u readable; cat readable open')).toBe('65534\nreadableopen');
      const script =
        'for f in closed readable open folder/new; do echo x >> $f && echo wrote $f; done; cat closed; chmod 600 open && echo changed; true';
      expect(await shell(sandbox, `(${script}) 2>/dev/null`)).toBe('');
      for (const path of ['readable', 'open', 'folder/new'])
        expect(await faultOf(sandbox.writeFile(`/workspace/${path}`, 'x', { append: true }))).not.toBe('none');
      for (const name of ['closed', 'readable', 'open']) expect(readFileSync(workspace.join(name), 'utf8')).toBe(name);
      expect(readdirSync(workspace.join('folder'))).toEqual([]);
    });
  });

  it('works for root inside as for anybody who is not its owner', async ({ skip }) => {
    skip(!isRoot, NEEDS_ROOT);
    await using workspace = await TestWorkspace.create(12_345);
    chmodSync(workspace.directory, 0o777);
    await using sandbox = await sandboxes.start({ workspace: workspace.mount(kind) });
    const { exit } = await sandbox.run(['sh', '-c', 'echo x > made-by-root'], { user: { uid: 0, gid: 0 } });
    expect(endOf(exit)).toBe('exited 2');
  });

  it('takes any name', async () => {
    await using workspace = await TestWorkspace.create();
    await using sandbox = await sandboxes.start({ workspace: workspace.mount(kind) });
    const names = ['a b', '-rf', '--', '"', "'", '\\', '\n', '*', '$(id)', '🐇', 'ü', '...', ' ', 'x'.repeat(255), '\u202e', '\x1b[2J'];
    for (const name of names) await sandbox.writeFile(`/workspace/${name}`, name);
    expect((await sandbox.list('/workspace')).map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    for (const name of names) {
      expect(readFileSync(place(workspace, name), 'utf8')).toBe(name);
      expect(await contentOf(sandbox.readFile(`/workspace/${name}`))).toBe(name);
      await sandbox.remove(`/workspace/${name}`);
    }
    // A name that is no text can be made, is listed, and can be removed with what holds it.
    await shell(sandbox, 'mkdir d; printf x > "d/$(printf \'\\377\\376\')"');
    expect(await sandbox.list('/workspace/d')).toHaveLength(1);
    await sandbox.remove('/workspace/d', { recursive: true });
    expect(await sandbox.list('/workspace')).toEqual([]);
  });

  it('has links that lead nowhere outside', async () => {
    await using workspace = await TestWorkspace.create();
    writeFileSync(workspace.beside('secret'), 'secret of the host');
    symlinkSync(workspace.beside('secret'), workspace.join('absolute'));
    symlinkSync('../secret', workspace.join('relative'));
    symlinkSync('/proc/1/root', workspace.join('magic'));
    await using sandbox = await sandboxes.start({ workspace: workspace.mount(kind) });
    for (const name of ['absolute', 'relative', 'magic/etc/shadow', '../secret', '../../../secret'])
      expect([name, await faultOf(contentOf(sandbox.readFile(`/workspace/${name}`)))]).toEqual([
        name,
        expect.stringMatching(/^not_found$|^permission_denied$/),
      ]);
    await sandbox.writeFile('/workspace/absolute', 'inside').catch(() => {});
    await shell(sandbox, 'echo inside > relative || true');
    expect(readFileSync(workspace.beside('secret'), 'utf8')).toBe('secret of the host');
  });
});

describe('a workspace that is read-only', () => {
  it('can be read, and nothing else', async () => {
    await using workspace = await TestWorkspace.create(isRoot ? 12_345 : undefined);
    writeFileSync(workspace.join('file'), 'content');
    await using sandbox = await sandboxes.start({ workspace: workspace.mount('read_only') });
    expect(await shell(sandbox, 'cat file')).toBe('content');
    const script = 'echo x > new; echo x >> file; rm file; mkdir d; touch file; chmod 777 file; ln -s a b; mv file other; true';
    await sandbox.run(['sh', '-c', script]);
    expect(await faultOf(sandbox.writeFile('/workspace/file', 'x'))).not.toBe('none');
    expect(readdirSync(workspace.directory)).toEqual(['file']);
    expect(readFileSync(workspace.join('file'), 'utf8')).toBe('content');
  });
});

describe('an overlay', () => {
  it('never touches its lower side, whatever is done inside', async () => {
    await using workspace = await TestWorkspace.create();
    mkdirSync(workspace.join('folder'));
    for (const name of ['changed', 'removed', 'renamed', 'chmodded', 'folder/inner']) writeFileSync(workspace.join(name), name);
    symlinkSync('changed', workspace.join('link'));
    for (const name of ['changed', 'removed', 'renamed', 'chmodded', 'folder/inner', 'folder', '.'])
      utimesSync(workspace.join(name), 1_000, 1_000);
    const look = (): unknown =>
      readdirSync(workspace.directory, { recursive: true, encoding: 'utf8' })
        .toSorted()
        .map((name) => {
          const { mode, uid, gid, size, mtimeMs, ctimeMs, isSymbolicLink } = lstatSync(workspace.join(name));
          return [name, mode, uid, gid, size, mtimeMs, ctimeMs, isSymbolicLink.name];
        });
    const before = look();
    await using sandbox = await sandboxes.start({ workspace: workspace.mount('overlay') });
    await shell(
      sandbox,
      'echo more >> changed; rm removed; mv renamed new; chmod 600 chmodded; mv folder moved; echo x > moved/inner; rm link; ln -s x link; touch .; rm -rf moved; mkdir folder; echo y > folder/z; ls',
    );
    expect(await shell(sandbox, 'ls; cat folder/z')).toBe('changed\nchmodded\nfolder\nlink\nnew\ny\n');
    expect(look()).toEqual(before);
    expect(readlinkSync(workspace.join('link'))).toBe('changed');
  });

  it('goes on from its layer in the next sandbox', async () => {
    await using workspace = await TestWorkspace.create();
    writeFileSync(workspace.join('removed'), '');
    for (let round = 0; round < 3; round++) {
      await using sandbox = await sandboxes.start({ workspace: workspace.mount('overlay') });
      expect(await shell(sandbox, 'ls; rm -f removed; echo x > made$(ls | wc -l)')).toBe(['removed\n', 'made0\n', 'made0\nmade1\n'][round]);
    }
  });

  it('refuses a layer that is none', async () => {
    await using workspace = await TestWorkspace.create();
    writeFileSync(`${workspace.layer}/upper`, '');
    expect(await faultOf(sandboxes.start({ workspace: workspace.mount('overlay') }))).toBe('invalid_argument');
    await using other = await TestWorkspace.create();
    symlinkSync('/etc', `${other.layer}/work`);
    expect(await faultOf(sandboxes.start({ workspace: other.mount('overlay') }))).toBe('invalid_argument');
  });
});

describe('a mount', () => {
  it('is read-only unless it says otherwise', async () => {
    await using workspace = await TestWorkspace.create();
    await using other = await TestWorkspace.create();
    writeFileSync(other.join('file'), 'content');
    await using sandbox = await sandboxes.start({
      workspace: workspace.mount('writable'),
      mounts: [
        { source: other.directory, target: '/data/read' },
        { source: other.join('file'), target: '/data/file' },
        { source: other.directory, target: '/data/write', writable: true },
      ],
    });
    expect(await shell(sandbox, 'cat /data/read/file /data/file')).toBe('contentcontent');
    expect(await shell(sandbox, 'echo x > /data/write/new; (echo x > /data/read/n; echo x >> /data/file) 2>/dev/null; ls /data/read')).toBe(
      'file\nnew\n',
    );
    expect(readFileSync(other.join('file'), 'utf8')).toBe('content');
    if (isRoot) expect(ownerOf(other.join('new'))).toEqual([0, 0]);
  });

  it('can be one of 64', async () => {
    await using workspace = await TestWorkspace.create();
    const mounts = Array.from({ length: 64 }, (_, index) => ({
      source: workspace.directory,
      target: `/data/${index}`,
      writable: index % 2 === 0,
    }));
    await using sandbox = await sandboxes.start({ mounts, profile: 'permissive', workspace: workspace.mount('overlay') });
    expect(await shell(sandbox, 'echo x > /data/62/file; ls /data | wc -l; cat /data/63/file')).toBe('64\nx\n');
  });
});

describe('the home of the caller', () => {
  const HOME = process.env['HOME'];
  afterAll(() => {
    if (HOME !== undefined) process.env['HOME'] = HOME;
  });

  it('is shown by the permissive profile, without what is known to hold credentials, also behind links', async () => {
    await using home = await TestWorkspace.create();
    mkdirSync(home.join('.ssh'));
    mkdirSync(home.join('dotfiles/aws'), { recursive: true });
    writeFileSync(home.join('.ssh/id'), 'secret');
    writeFileSync(home.join('dotfiles/aws/credentials'), 'secret');
    writeFileSync(home.join('dotfiles/npmrc'), 'secret');
    writeFileSync(home.join('notes'), 'to read');
    symlinkSync('dotfiles/npmrc', home.join('.npmrc'));
    symlinkSync('dotfiles/aws', home.join('.aws'));
    symlinkSync('/nowhere', home.join('.netrc'));
    symlinkSync('loop', home.join('loop'));
    symlinkSync('loop', home.join('.gnupg'));
    process.env['HOME'] = home.directory;
    await using own = await openSandboxes({ spares: 0 });
    await using sandbox = await own.start({ profile: 'permissive' });
    expect(PROFILES.permissive.showsHome).toBe(true);
    expect(await shell(sandbox, 'cat /home/user/notes; grep -rs secret /home/user; true')).toBe('to read');
    expect(endOf((await sandbox.run(['sh', '-c', 'echo x > /home/user/new'])).exit)).toBe('exited 2');
    await using careful = await own.start({});
    expect(await shell(careful, 'ls /home')).toBe('agent\n');
  });
});
