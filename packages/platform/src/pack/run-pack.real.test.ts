/** Packs as they are run: real programs in real sandboxes, friendly ones and hostile ones. */
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActContext, Acted } from '@warren/kernel';
import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistry } from '../capability/registry.ts';
import { testCapability } from '../capability/test-capability.ts';
import { actContext } from '../capability/test-support/act-context.ts';
import { definitionText, setOf } from '../capability/test-support/definition-text.ts';
import { openPacks } from './packs.ts';
import { PACK_LANGUAGES, scaffoldPack } from './scaffold-pack.ts';

const SHARED = ['Timeout', 'ResourceExhausted', 'InvalidReturn', 'PackFailed'];
const builtin = setOf(
  `errors:\n${SHARED.map((type) => `  - { type: ${type}, everywhere: true, description: x, recovery: [] }`).join('\n')}`,
);
const { signal } = new AbortController();

let sandboxes: Sandboxes;
beforeAll(async () => {
  sandboxes = await openSandboxes();
});
afterAll(async () => {
  await sandboxes[Symbol.asyncDispose]();
});

async function registryOf(folder: string) {
  const packs = await openPacks({ folder, sandboxes, builtin });
  const registry = await createRegistry({
    builtin,
    handlers: {},
    wrap: () => Promise.reject(new Error('Nothing here is of Warren itself')),
    readPacks: (set) => packs.read(set),
  });
  return { packs, registry };
}

/** Runs a shell program as the pack `mine`. */
async function run(script: string, changes: Partial<ActContext> = {}): Promise<Acted & { readonly folder: readonly string[] }> {
  await using directory = await TemporaryDirectory.create();
  const folder = join(directory.path, 'mine');
  await mkdir(join(folder, 'definitions'), { recursive: true });
  await chmod(directory.path, 0o755);
  await writeFile(join(folder, 'pack.yaml'), 'name: mine\nversion: "1.0.0"\nexecutable: ["./run"]\nmemory_bytes: 67108864\n');
  const errors = '[{ type: NoSuchTerm, description: x, recovery: [{ action: a, description: Try another }] }]';
  await writeFile(
    join(folder, 'definitions', 'a.yaml'),
    definitionText('mine.a', { errors, outputs: '[{ name: text, type: String, description: x }]' }),
  );
  await writeFile(join(folder, 'run'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const { registry } = await registryOf(directory.path);
  expect(registry.problems()).toEqual([]);
  const capability = registry.find('mine.a')!; // It has no problems.
  const acted = await capability.act(actContext(capability, { term: 'x' }, changes));
  return { ...acted, folder: await readdir(folder) };
}

const answer = (shell: string): string =>
  `printf '{"output":{"text":"%s"}}' "$({ ${shell}; } 2>&1 | tr '\\n\\t' '  ' | tr -d '"\\\\' | head -c 400)"`;

describe('a pack that is new', () => {
  it.each(PACK_LANGUAGES.filter((language) => language !== 'node'))('in %s passes its own examples', async (language) => {
    await using directory = await TemporaryDirectory.create();
    await chmod(directory.path, 0o755);
    await scaffoldPack('weather', join(directory.path, 'source'), language);
    const { packs, registry } = await registryOf(join(directory.path, 'packs'));
    await packs.install({ kind: 'folder', folder: join(directory.path, 'source') }, signal);
    await registry.reload();
    const capability = registry.find('weather.greet')!; // It was installed.
    const tested = await testCapability(
      registry.findDefinition('weather.greet')!,
      (_, { input }) => capability.act(actContext(capability, input)),
      signal,
    ); // As above.
    expect(tested).toMatchObject({ isPassed: true, warnings: [] });
  });
});

describe('a program of a pack', () => {
  it('gets the call on its input and answers an output or an error', async () => {
    expect(await run(`read line; ${answer('printf %s "$line"')}`)).toMatchObject({
      kind: 'done',
      output: { text: '{capability:mine.a,input:{term:x},context:{workspace:default,agent:ada,call_id:call_1}}' },
    });
    expect(await run(`printf '{"error":{"type":"NoSuchTerm","message":"none of \\u001b[31m that","context":{"n":1}}}'`)).toMatchObject({
      kind: 'failed',
      error: { type: 'NoSuchTerm', message: 'none of  [31m that', context: { n: 1 }, agentMessage: 'none of  [31m that. Try another' },
    });
  });

  it.each([
    ['exits with a code', 'echo first >&2; echo last line >&2; exit 3', 'PackFailed', 'exits with code 3: last line'],
    ['ends by a signal', 'kill -9 $$', 'PackFailed', 'ends by SIGKILL'],
    ['answers an error nobody named', `printf '{"error":{"type":"Other","message":"x"}}'`, 'PackFailed', 'answers an error Other'],
    ['answers a list', 'echo "[1]"', 'InvalidReturn', 'does not answer one object'],
    ['answers nothing', 'true', 'InvalidReturn', 'answers no JSON'],
    ['answers no JSON', 'echo hello', 'InvalidReturn', 'answers no JSON'],
    ['answers binary', 'head -c 100 /dev/urandom', 'InvalidReturn', 'answers no JSON'],
    ['answers an output that is a list', `printf '{"output":[]}'`, 'InvalidReturn', 'an output that is no object'],
    ['answers an output of a wrong type', `printf '{"output":{"text":5}}'`, 'InvalidReturn', 'text is number, not String'],
    ['answers __proto__', `printf '{"output":{"__proto__":{"a":1}}}'`, 'InvalidReturn', '__proto__'],
    ['answers deep JSON', `printf '{"output":'; i=0; while [ $i -lt 5000 ]; do printf '['; i=$((i+1)); done`, 'InvalidReturn', ''],
    ['prints without end', 'yes', 'InvalidReturn', 'prints more than'],
    ['prints errors without end', 'yes >&2', 'InvalidReturn', 'prints more than'],
  ])('that %s fails with its type', async (_, script, type, message) => {
    const acted = await run(script);
    expect(acted).toMatchObject({ kind: 'failed', error: { type } });
    if (acted.kind === 'failed') expect(acted.error.message).toContain(message);
  });

  it('that does not end is ended with its deadline, and with its caller', async () => {
    expect(await run('sleep 600', { deadlineAt: Date.now() + 300 })).toMatchObject({ kind: 'failed', error: { type: 'Timeout' } });
    const controller = new AbortController();
    const running = run('sleep 600', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });

  it('that takes more memory than it may is ended', async () => {
    expect(await run('tail /dev/zero')).toMatchObject({
      kind: 'failed',
      error: { type: 'ResourceExhausted', context: { resource: 'memory' } },
    });
  });

  it('that forks without end harms nobody', async () => {
    const acted = await run('bomb() { bomb | bomb & }; bomb; sleep 600', { deadlineAt: Date.now() + 1_500 });
    expect(acted).toMatchObject({ kind: 'failed' });
    expect(await run(answer('echo still here'))).toMatchObject({ kind: 'done', output: { text: 'still here ' } });
  });

  it('sees no secret of the host, no network, no other pack, and changes nothing', async () => {
    const read = async (shell: string): Promise<string> => {
      const acted = await run(answer(shell));
      return acted.kind === 'done' ? String(acted.output['text']) : acted.error.message;
    };
    expect(await read('cat /etc/shadow')).toMatch(/No such file|Permission denied|cannot/i);
    expect(await read('ls /root /home/agent/.ssh; ls /workspace')).not.toMatch(/id_|package\.json/);
    expect(await read('echo x > /pack/run || echo refused')).toContain('refused');
    expect(await read('echo x > /usr/evil || echo refused')).toContain('refused');
    expect(await read('cat /proc/net/route | wc -l; cat /proc/net/dev')).not.toMatch(/eth|ens|wlan/);
    expect(await read('env')).not.toMatch(/NODE|VITEST|HOME=\/root|SECRET/);
    expect(await read('ls /pack /pack/..')).not.toContain('packs');
    expect((await run(answer('touch /pack/evil; true'))).folder.toSorted()).toEqual(['definitions', 'pack.yaml', 'run']);
    expect(await stat('/usr/evil').catch(() => undefined)).toBeUndefined();
  });
});
