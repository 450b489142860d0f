import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { scaffoldPack } from '@warren/platform';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { shareAgents } from './agents.ts';
import { provesGate } from './proves-gate.ts';

const agents = shareAgents();
const { signal } = new AbortController();

provesGate('pack:installed', async () => {
  await using source = await TemporaryDirectory.create();
  await scaffoldPack('greeting', source.join('pack'), 'sh');
  const agent = await agents().agent();
  const { packs, capabilities, gate } = agents().platform;
  const { capabilities: names } = await packs.install({ kind: 'folder', folder: source.join('pack') }, signal);
  await capabilities.reload();
  const offered = (await gate.offered(DEFAULT_WORKSPACE, agent.pid)).map(({ name }) => name);
  expect(offered).toEqual(expect.arrayContaining([...names]));
  const example = capabilities.findDefinition(names[0] ?? '')?.examples[0];
  expect(await agent.ask(names[0] ?? '', example?.input ?? {})).toMatchObject({ kind: 'done' });
});

/** The error an agent gets from a pack whose program is this script. */
async function errorOfPack(name: string, script: string): Promise<string> {
  await using source = await TemporaryDirectory.create();
  await scaffoldPack(name, source.join('pack'), 'sh');
  const { packs, capabilities } = agents().platform;
  const manifest = readFileSync(source.join('pack', 'pack.yaml'), 'utf8');
  const executable = source.join('pack', /executable: \["\.\/([^"]+)"/.exec(manifest)?.[1] ?? '');
  writeFileSync(executable, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const { capabilities: names } = await packs.install({ kind: 'folder', folder: source.join('pack') }, signal);
  await capabilities.reload();
  const agent = await agents().agent();
  return await agent.errorOf(names[0] ?? '', capabilities.findDefinition(names[0] ?? '')?.examples[0]?.input ?? {});
}

provesGate('pack:invalid-return', async () => {
  expect(await errorOfPack('lists', 'cat >/dev/null; echo "[1, 2]"')).toBe('InvalidReturn');
  expect(await errorOfPack('unknowns', 'cat >/dev/null; echo \'{"output": {"unknown": 1}}\'')).toBe('InvalidReturn');
});

it('a pack that ends without an answer has a word of its own', async () => {
  expect(await errorOfPack('silent', 'exit 3')).toBe('PackFailed');
});

provesGate('pack:checksum', async () => {
  await using source = await TemporaryDirectory.create();
  await scaffoldPack('sealed', source.join('sealed'), 'sh');
  mkdirSync(source.join('out'));
  const file = source.join('out', 'sealed.tar.gz');
  execFileSync('tar', ['-czf', file, '-C', source.path, 'sealed']);
  const { packs } = agents().platform;
  await expect(packs.install({ kind: 'archive', file, sha256: '0'.repeat(64) }, signal)).rejects.toMatchObject({ code: 'conflict' });
  expect((await packs.list()).map(({ name }) => name)).not.toContain('sealed');
});
