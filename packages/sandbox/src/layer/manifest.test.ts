import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from './manifest.ts';
import { readManifest, sealLayer } from './manifest.ts';
import { LayerFixture, overlayProblem } from './test-support/layer-fixture.ts';
import type { Edit } from './test-support/overlay-helper.ts';

async function seal(fixture: LayerFixture, edits: readonly Edit[]): Promise<{ readonly manifest: Manifest; readonly path: string }> {
  const { id } = await fixture.run(edits);
  using held = fixture.store.holdRun(id);
  return { manifest: await sealLayer(held, { probe: fixture.probe }), path: held.paths.manifest };
}

beforeEach(async ({ skip }) => {
  const problem = await overlayProblem();
  skip(problem !== undefined, problem ?? '');
});

describe('sealLayer', () => {
  it('says what the host had, and is read as it was written', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old', 0o640],
      ['symlink', 'l', '\xff'],
      ['mkdir', 'd'],
    ]);
    const { manifest, path } = await seal(fixture, [
      ['write', 'a', 'new'],
      ['remove', 'l'],
      ['remove', 'd'],
      ['write', '\xff', 'x'],
    ]);
    expect(manifest.changes).toEqual([
      {
        path: 'a',
        before: expect.objectContaining({
          kind: 'file',
          mode: 0o640,
          size: 3,
          sha256: 'cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4',
        }),
        after: expect.objectContaining({ kind: 'file', mode: 0o644, size: 3 }),
        isSameContent: false,
        isChangedDuringRun: false,
      },
      { path: 'd', before: { kind: 'directory', mode: 0o755 }, after: undefined, isSameContent: false, isChangedDuringRun: false },
      { path: 'l', before: { kind: 'symlink', target: '\xff' }, after: undefined, isSameContent: false, isChangedDuringRun: false },
      {
        path: '\xff',
        before: undefined,
        after: expect.objectContaining({ kind: 'file' }),
        isSameContent: false,
        isChangedDuringRun: false,
      },
    ]);
    expect(readManifest(path)).toEqual(manifest);
  });

  it('is done once: what happens to the host later does not change it', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([['write', 'a', 'old']]);
    const { id } = await fixture.run([['write', 'a', 'new']]);
    using held = fixture.store.holdRun(id);
    const first = await sealLayer(held, { probe: fixture.probe });
    writeFileSync(join(fixture.directory, 'a'), 'host');
    expect(await sealLayer(held, { probe: () => Promise.reject(new Error('asked again')) })).toEqual(first);
  });

  it('notices what the host changed while the run went on', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old'],
      ['write', 'b', 'old'],
    ]);
    const held = await fixture.openRun();
    await fixture.edit(held.record.id, [
      ['write', 'a', 'new'],
      ['remove', 'b'],
    ]);
    await new Promise((resolve) => setTimeout(resolve, 15)); // A tick of the clock that stamps files.
    writeFileSync(join(fixture.directory, 'b'), 'host');
    const { changes } = await sealLayer(held, { probe: fixture.probe });
    expect(changes.map(({ path, isChangedDuringRun }) => [path, isChangedDuringRun])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    await fixture.store.closeRun(held);
  });
});

describe('readManifest', () => {
  it('finds none where none is', () => expect(readManifest('/nonexistent')).toBeUndefined());

  it('does not believe a damaged one, and says what to do', async () => {
    await using fixture = await LayerFixture.create();
    const { path } = await seal(fixture, [
      ['write', 'a', 'x'],
      ['write', 'b', 'x'],
    ]);
    const whole = readFileSync(path, 'utf8');
    const damages = [
      '',
      whole.slice(0, -20),
      whole.split('\n').slice(0, 2).join('\n'),
      whole.replace('"path":"a"', '"path":"../a"'),
      whole.replace('"version":1', '"version":2'),
      whole.replace('"kind":"file"', '"kind":"door"'),
      `${whole}{"path":"c"}\n`,
    ];
    for (const damaged of damages) {
      writeFileSync(path, damaged);
      expect(() => readManifest(path), damaged).toThrow(
        expect.objectContaining({ code: 'internal', message: expect.stringContaining(`rm ${path}`) }),
      );
    }
    writeFileSync(path, whole);
    appendFileSync(path, '\n');
    expect(readManifest(path)?.changes).toHaveLength(2);
  });
});
