/** What real overlays leave behind, read back. */

import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { pathToText } from './byte-path.ts';
import { Pace } from './internal/pace.ts';
import { type Change, type OpaqueProbe, scanLayer } from './scan.ts';
import { LayerFixture, overlayProblem } from './test-support/layer-fixture.ts';
import type { Edit } from './test-support/overlay-helper.ts';
import { Tree } from './tree.ts';

/** Kind before and after, `-` for nothing. */
function brief(changes: readonly Change[]): Record<string, string> {
  return Object.fromEntries(changes.map(({ path, before, after }) => [pathToText(path), `${before?.kind ?? '-'} ${after?.kind ?? '-'}`]));
}

async function scan(fixture: LayerFixture, edits: readonly Edit[], probe: OpaqueProbe = fixture.probe): Promise<readonly Change[]> {
  using run = await fixture.openRun();
  await fixture.edit(run.record.id, edits);
  return await scanUpper(fixture, run.paths.upper, probe);
}

async function scanUpper(fixture: LayerFixture, directory: string, probe: OpaqueProbe): Promise<readonly Change[]> {
  using upper = Tree.open(directory, { isOurs: true });
  using lower = Tree.open(fixture.directory);
  return await scanLayer({ upper, lower, probe, pace: new Pace() });
}

describe('scanLayer', () => {
  beforeEach(async ({ skip }) => {
    const problem = await overlayProblem();
    skip(problem !== undefined, problem ?? '');
  });

  it('tells what was added, changed, removed and turned into something else', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'changed', 'old'],
      ['write', 'mode', 'x'],
      ['write', 'removed', 'x'],
      ['mkdir', 'tree'],
      ['mkdir', 'tree/sub'],
      ['write', 'tree/sub/file', 'x'],
      ['symlink', 'link', 'changed'],
      ['write', 'to-link', 'x'],
      ['mkdir', 'to-file'],
      ['write', 'to-file/inside', 'x'],
    ]);
    const changes = await scan(fixture, [
      ['write', 'changed', 'new'],
      ['chmod', 'mode', 0o755],
      ['remove', 'removed'],
      ['remove', 'tree'],
      ['mkdir', 'new'],
      ['write', 'new/file', 'x'],
      ['remove', 'link'],
      ['symlink', 'link', 'mode'],
      ['remove', 'to-link'],
      ['symlink', 'to-link', '/etc/passwd'],
      ['remove', 'to-file'],
      ['write', 'to-file', 'x'],
      ['chmod', '.', 0o700],
    ]);
    expect(brief(changes)).toEqual({
      '.': 'directory directory',
      changed: 'file file',
      link: 'symlink symlink',
      mode: 'file file',
      new: '- directory',
      'new/file': '- file',
      removed: 'file -',
      'to-file': 'directory file',
      'to-file/inside': 'file -',
      'to-link': 'file symlink',
      tree: 'directory -',
      'tree/sub': 'directory -',
      'tree/sub/file': 'file -',
    });
    expect(changes.filter((change) => change.isSameContent).map(({ path }) => path)).toEqual(['mode']);
  });

  it('takes what was only touched, or written with the same content, for unchanged', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'same'],
      ['mkdir', 'd'],
      ['write', 'd/b', 'same'],
      ['symlink', 'l', 'a'],
    ]);
    const edits: readonly Edit[] = [
      ['touch', 'a'],
      ['touch', 'd'],
      ['write', 'd/b', 'same'],
      ['touch', 'l'],
      ['write', 'passing', 'x'],
      ['remove', 'passing'],
    ];
    expect(await scan(fixture, edits)).toEqual([]);
  });

  it('sees through an opaque directory, also a nested one, and asks the probe for real marks', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['mkdir', 'd'],
      ['write', 'd/kept', 'same'],
      ['write', 'd/gone', 'x'],
      ['mkdir', 'd/sub'],
      ['write', 'd/sub/hidden', 'x'],
      ['write', 'd/sub/kept', 'same'],
    ]);
    const edits: readonly Edit[] = [
      ['remove', 'd'],
      ['mkdir', 'd'],
      ['write', 'd/kept', 'same'],
      ['mkdir', 'd/sub'],
      ['write', 'd/sub/kept', 'same'],
      ['write', 'd/sub/new', 'x'],
    ];
    const asked: string[] = [];
    const changes = await scan(fixture, edits, async (paths) => {
      asked.push(...paths);
      return await fixture.probe(paths);
    });
    expect(brief(changes)).toEqual({ 'd/gone': 'file -', 'd/sub/hidden': 'file -', 'd/sub/new': '- file' });
    expect(asked).toEqual([expect.stringMatching(new RegExp(`^/proc/${process.pid}/fd/\\d+$`))]);
  });

  it('does not look through a link of the host for what lies below a new directory', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([['symlink', 'link', '/etc']]);
    const changes = await scan(fixture, [
      ['remove', 'link'],
      ['mkdir', 'link'],
      ['write', 'link/passwd', 'mine'],
    ]);
    expect(brief(changes)).toEqual({ link: 'symlink directory', 'link/passwd': '- file' });
  });

  it('names fifos and sockets without opening them', { timeout: 5_000 }, async () => {
    await using fixture = await LayerFixture.create();
    using run = await fixture.openRun();
    await fixture.edit(run.record.id, [['fifo', 'pipe']]);
    const server = createServer().listen(join(run.paths.upper, 'socket'));
    await once(server, 'listening');
    expect(brief(await scanUpper(fixture, run.paths.upper, fixture.probe))).toEqual({ pipe: '- fifo', socket: '- socket' });
    server.close();
  });

  it('keeps names that are no UTF-8, or that look like something else', async () => {
    await using fixture = await LayerFixture.create();
    const names = ['\xff\xfe', '...', '..x', ' ', '\n', '"', '\x1b[2J', 'x'.repeat(255), 'caf\xc3\xa9', '-rf'];
    const changes = await scan(
      fixture,
      names.map((name): Edit => ['write', name, 'x']),
    );
    expect(changes.map(({ path }) => path)).toEqual(names.toSorted());
  });

  it('walks a tree deeper than a path may be long', { timeout: 30_000 }, async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([['deep', 'directory-d', 1_000, 'old']]);
    const changes = await scan(fixture, [['deep', 'directory-d', 1_000, 'new']]);
    expect(changes).toHaveLength(1);
    expect(changes[0]?.path).toHaveLength(12_000 + 'bottom'.length);
  });

  it('refuses a tree that is deeper than anybody needs', { timeout: 30_000 }, async () => {
    await using fixture = await LayerFixture.create();
    await expect(scan(fixture, [['deep', 'd', 2_100, 'x']])).rejects.toMatchObject({ code: 'too_large' });
  });

  it('stops when the caller does', async () => {
    await using fixture = await LayerFixture.create();
    using run = await fixture.openRun();
    using upper = Tree.open(run.paths.upper);
    using lower = Tree.open(fixture.directory);
    const abort = new AbortController();
    const pace = new Pace(abort.signal);
    await fixture.edit(
      run.record.id,
      Array.from({ length: 3_000 }, (_, index): Edit => ['write', `f${index}`, '']),
    );
    abort.abort();
    await expect(scanLayer({ upper, lower, probe: fixture.probe, pace })).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('a layer that no overlay made', () => {
  it('may hold what it likes: whiteouts of nothing, devices, odd modes', async ({ skip }) => {
    skip(process.geteuid?.() !== 0, 'needs root, to make device files');
    await using fixture = await LayerFixture.create();
    using run = await fixture.openRun();
    const { upper } = run.paths;
    await fixture.helper.mknod(join(upper, 'nothing'), 0, 0);
    await fixture.helper.mknod(join(upper, 'null'), 1, 3);
    mkdirSync(join(upper, 'd'));
    writeFileSync(join(upper, 'd', 'f'), 'x');
    chmodSync(join(upper, 'd'), 0o1777);
    const changes = await scanUpper(fixture, upper, fixture.probe);
    expect(brief(changes)).toEqual({ null: '- character_device', d: '- directory', 'd/f': '- file' });
  });
});
