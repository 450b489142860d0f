/** Skills as agents of the library run them, in real sandboxes: what an earlier system did or should have done. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { JsonObject } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect } from 'vitest';
import { createPlatform, type ScriptedTurn, scriptedProvider } from 'warren';
import { provesLibrary } from './proves-library.ts';

const SECRET = 'Xyzzy-1234-Plugh';

/** A platform with one workspace, whose agent runs skills when it is told to. */
async function open() {
  const directory = await TemporaryDirectory.create();
  chmodSync(directory.path, 0o755); // Sandboxes look into it as somebody else.
  const turns: ScriptedTurn[] = [];
  const platform = createPlatform({
    stateDir: directory.join('state'),
    credentialPassphrase: 'correct horse battery staple',
    providers: { script: scriptedProvider(() => turns.shift() ?? { text: 'done' }) },
  });
  const workspace = await platform.createWorkspace('alice');
  const folderOf = (id: string): string => directory.join('state', 'skills', id);
  return {
    ...{ directory, workspace, folderOf },
    /** Put where it belongs and enabled. `declares`: its part of the front matter. */
    put(id: string, script: string | undefined, declares = '{}'): void {
      mkdirSync(folderOf(id), { recursive: true, mode: 0o755 });
      writeFileSync(`${folderOf(id)}/SKILL.md`, `---\nname: ${id}\ndescription: Does what a test says\nwarren: ${declares}\n---\n`);
      if (script !== undefined) writeFileSync(`${folderOf(id)}/execute.sh`, `${script}\n`);
      workspace.skills.enable(id);
    },
    /** What the agent is given. */
    async run(name: string, params: JsonObject = {}): Promise<unknown> {
      turns.push({ calls: [{ name: 'skill.run', input: { name, params } }] });
      const results: unknown[] = [];
      await workspace.run({ message: 'go', onEvent: (event) => event.type === 'tool_result' && results.push(event.result) });
      return results[0];
    },
    async [Symbol.asyncDispose]() {
      await platform[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const refused = (type: string, message: RegExp) => ({ error: { type, message: expect.stringMatching(message) } });

provesLibrary('skills:run', async () => {
  await using on = await open();
  on.put('echo', 'cat');
  expect(await on.run('echo', { a: 1 })).toMatchObject({ result: { a: 1 } });
});

provesLibrary('skills:refused', async () => {
  await using on = await open();
  on.put('off', 'cat');
  expect(await on.run('off')).toMatchObject({ result: {} });
  on.workspace.skills.disable('off');
  expect(await on.run('off')).toMatchObject(refused('SkillNotEnabled', /not enabled/));
  on.put('words', undefined);
  expect(await on.run('words')).toMatchObject(refused('SkillNotRunnable', /execute\.js, execute\.mjs, execute\.sh, execute\.py/));
  mkdirSync(on.folderOf('linked'), { recursive: true });
  symlinkSync('/bin/sh', `${on.folderOf('linked')}/execute.sh`);
  on.put('linked', undefined);
  expect(await on.run('linked')).toMatchObject(refused('SkillNotRunnable', /link/));
  expect(await on.run('../../etc')).toMatchObject(refused('SkillNotFound', /none of this name/));
});

provesLibrary('skills:failed', async () => {
  await using on = await open();
  await on.workspace.credentials.store('fails', { KEY: SECRET });
  on.put('fails', 'echo "it was $KEY" >&2; exit 3', '{ secrets: { KEY: fails/KEY } }');
  const failed = await on.run('fails');
  expect(failed).toMatchObject(refused('SkillFailed', /code 3.*it was \[redacted:fails\/KEY\]/));
  on.put('says', 'printf \'{"key":"%s","coded":"%s"}\' "$KEY" "$(printf %s "$KEY" | base64)"', '{ secrets: { KEY: fails/KEY } }');
  on.put('shows', 'printf \'{"key":"%s","coded":"%s"}\' "$KEY" "$(printf %s "$KEY" | base64)"', '{ secrets: { KEY: shows/KEY } }');
  await on.workspace.credentials.store('shows', { KEY: `${SECRET}-shows` });
  expect(await on.run('says')).toMatchObject(refused('SecretUnavailable', /fails\/KEY/)); // It is another skill's.
  const shown = await on.run('shows');
  expect(shown).toMatchObject({ result: { key: '[redacted:shows/KEY]' } });
  for (const answer of [failed, shown])
    for (const form of [SECRET, Buffer.from(SECRET).toString('base64').slice(0, 16)]) expect(JSON.stringify(answer)).not.toContain(form);
});

provesLibrary('skills:ended', async () => {
  await using on = await open();
  const seconds = String(100_000 + Math.trunc(Math.random() * 900_000));
  const behind = `sleep ${seconds} & setsid sleep ${seconds} &`;
  const left = (): readonly string[] => readdirSync('/proc').filter((pid) => wordsOf(pid).includes(`sleep\0${seconds}`));
  on.put('answers', `${behind} echo 1`);
  expect(await on.run('answers')).toMatchObject({ result: 1 });
  expect(left()).toEqual([]);
  on.put('stays', `${behind} sleep ${seconds}`, '{ timeout_seconds: 1 }');
  expect(await on.run('stays')).toMatchObject(refused('Timeout', /within 1 s/));
  expect(left()).toEqual([]);
});

provesLibrary('skills:output', async () => {
  await using on = await open();
  on.put('prints', 'head -c 11000000 /dev/zero');
  expect(await on.run('prints')).toMatchObject(refused('InvalidReturn', /more than 10485760 bytes/));
  process.env['PLANTED_ON_THE_HOST'] = SECRET;
  try {
    on.put('lists', `env | cut -d= -f1 | sort | sed 's/.*/"&",/' | tr -d '\\n' | sed 's/^/[/; s/,$/]/'`);
    const { result } = (await on.run('lists')) as { readonly result: readonly string[] }; // What it prints.
    const known = new Set(['HOME', 'HOSTNAME', 'LANG', 'LOGNAME', 'OLDPWD', 'PATH', 'PWD', 'SHELL', 'SHLVL', 'TERM', 'TMPDIR', 'TZ', 'USER', 'WARREN_SKILL', '_']); // biome-ignore format: one line
    expect(result.filter((name) => !known.has(name))).toEqual([]);
  } finally {
    delete process.env['PLANTED_ON_THE_HOST'];
  }
});

provesLibrary('skills:environment', async () => {
  await using on = await open();
  const names = ['PATH', 'NODE_OPTIONS', 'LD_PRELOAD', 'http_proxy'];
  await on.workspace.credentials.store('quiet', Object.fromEntries(names.map((name) => [name, SECRET])));
  on.put('quiet', `env | grep -c '${SECRET.slice(0, 5)}' | sed 's/.*/"&"/'`);
  expect(await on.run('quiet')).toMatchObject({ result: '0' });
  for (const name of names) {
    const id = `takes-${name}`;
    on.put(id, 'env', `{ secrets: { ${name}: quiet/${name} } }`);
    expect(await on.run(id)).toMatchObject({ error: { type: expect.stringMatching(/^SkillNot(?:Approved|Enabled)$/) } });
  }
});

function wordsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It is no process, or none any more.
  }
}
