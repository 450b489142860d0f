/** Skills as they are run: real programs in real sandboxes, friendly ones and hostile ones. */
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTextRedactor } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashPack } from '../pack/hash-pack.ts';
import { openSkills, type SkillsParts } from './open-skills.ts';
import type { Skills } from './skill.ts';

const ACME = 'acme' as WorkspaceId; // Known to the fixture alone.
const { signal } = new AbortController();

let sandboxes: Sandboxes;
beforeAll(async () => {
  sandboxes = await openSandboxes();
});
afterAll(async () => {
  await sandboxes[Symbol.asyncDispose]();
});

type Fixture = AsyncDisposable & {
  readonly skills: Skills;
  readonly root: string;
  readonly folder: string;
  readonly log: readonly string[];
};

async function fixture(secrets: Readonly<Record<string, string>> = {}, more: Partial<SkillsParts> = {}): Promise<Fixture> {
  const directory = await TemporaryDirectory.create();
  await chmod(directory.path, 0o755);
  const log: string[] = [];
  const folder = join(directory.path, 'skills');
  const skills = await openSkills({
    sandboxes,
    folder,
    directoryOf: (workspace) => join(directory.path, 'workspaces', workspace),
    filesOf: () => join(directory.path, 'files'),
    async useSecret(_, name, use) {
      const value = secrets[name];
      if (value === undefined || use.kind !== 'skill' || use.skill !== 'mine') return undefined;
      return { bytes: Buffer.from(value), version: 1, [Symbol.dispose]() {} };
    },
    privateNetworks: [],
    isWatching: false,
    say: () => {},
    onLog: (_workspace, skill, text) => void log.push(`${skill}: ${text}`),
    redactorOf: () => createTextRedactor(Object.entries(secrets).map(([name, value]) => ({ name, value }))),
    ...more,
  });
  await mkdir(join(directory.path, 'files'), { recursive: true });
  return {
    ...{ skills, folder, log, root: directory.path },
    async [Symbol.asyncDispose]() {
      skills[Symbol.dispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** A skill `mine` whose program is a shell script, added and enabled. */
async function withSkill({ skills, root }: Fixture, script: string, more = ''): Promise<void> {
  const source = join(root, 'source');
  await mkdir(source, { recursive: true });
  await writeFile(join(source, 'SKILL.md'), `---\nname: mine\ndescription: Does what a test says\n${more}---\nRead me.\n`);
  await writeFile(join(source, 'execute.sh'), `${script}\n`);
  await skills.add(source, signal);
  await skills.enable(ACME, 'mine');
}

const run = ({ skills }: Fixture, params = {}, id = 'mine') => skills.run({ workspace: ACME, id, params, signal });

describe('a skill', () => {
  it('reads JSON and answers JSON', async () => {
    await using t = await fixture();
    await withSkill(t, 'cat; echo said >&2');
    expect((await run(t, { a: 1 })).result).toEqual({ a: 1 });
    expect(t.log).toEqual(['mine: said\n']);
  });

  it('may be kept by a process whose new files are for itself alone', async () => {
    await using t = await fixture();
    const mask = process.umask(0o077);
    try {
      await mkdir(join(t.root, 'source', 'a', 'b'), { recursive: true });
      await writeFile(join(t.root, 'source', 'a', 'b', 'c'), '3');
      await withSkill(t, 'cat a/b/c');
    } finally {
      process.umask(mask);
    }
    expect((await run(t)).result).toBe(3);
  });

  it('may be of another language', async () => {
    await using t = await fixture();
    await withSkill(t, 'false');
    const folder = join(t.root, 'source');
    await writeFile(
      join(folder, 'execute.mjs'),
      `let text = ''; for await (const chunk of process.stdin) text += chunk; console.log(JSON.stringify({ got: JSON.parse(text) }));`,
    );
    await t.skills.add(folder, signal);
    expect((await run(t, { a: 1 })).result).toEqual({ got: { a: 1 } });
  });

  it('has its secrets in its environment, and nothing of ours', async () => {
    await using t = await fixture({ 'api/key': 'the-value' });
    await withSkill(
      t,
      `env | sort | sed 's/.*/"&",/' | tr -d '\\n' | sed 's/^/[/; s/,$/]/'`,
      'warren: { secrets: { API_KEY: api/key } }\n',
    );
    const { result } = await run(t);
    const names = (result as string[]).map((each) => each.split('=')[0]);
    expect(result).toContain('API_KEY=the-value');
    for (const name of Object.keys(process.env))
      if (!['HOME', 'PATH', 'PWD', 'SHLVL', 'LANG', 'USER', 'TERM', 'SHELL', 'LOGNAME', 'TMPDIR', '_', 'OLDPWD', 'HOSTNAME'].includes(name))
        expect(names).not.toContain(name);
  });

  it('sees the folders of the workspace that it declares, and writes where it may', async () => {
    await using t = await fixture();
    await mkdir(join(t.root, 'files', 'in'), { recursive: true });
    await writeFile(join(t.root, 'files', 'in', 'a'), 'content');
    await writeFile(join(t.root, 'files', 'hidden'), 'x');
    await withSkill(
      t,
      `cat /workspace/in/a >/workspace/out/b; touch /workspace/in/c 2>/dev/null && w=true || w=false; ls /workspace/hidden >/dev/null 2>&1 && h=true || h=false; echo "[$w,$h]"`,
      'warren: { mounts: [{ path: in }, { path: out, writable: true }] }\n',
    );
    expect((await run(t)).result).toEqual([false, false]);
    expect(await readFile(join(t.root, 'files', 'out', 'b'), 'utf8')).toBe('content');
  });
});

describe('a trial of a skill', () => {
  const trial = ({ skills }: Fixture) => skills.run({ workspace: ACME, id: 'mine', params: {}, signal, isTrial: true });

  it('needs no enabling, and shows no secret in what it answers, says or fails with', async () => {
    await using t = await fixture({ 'api/key': 'the-value-of-it' });
    const declares = 'warren: { secrets: { KEY: api/key } }\n';
    await withSkill(t, 'echo "$KEY" >&2; echo "{\\"$KEY\\":[\\"$KEY\\"]}"', declares);
    await t.skills.disable(ACME, 'mine');
    expect(await trial(t)).toMatchObject({ result: { '[redacted:api/key]': ['[redacted:api/key]'] }, log: '[redacted:api/key]\n' });
    await withSkill(t, 'echo "no: $KEY" >&2; exit 1', declares);
    await expect(trial(t)).rejects.toMatchObject({
      type: 'SkillFailed',
      message: expect.stringContaining('no: [redacted:api/key]'),
      context: { log: 'no: [redacted:api/key]\n' },
    });
  });
});

describe('a skill is refused', () => {
  it.each(['../../etc', 'a/b', '', '.', '..', '__proto__', 'constructor', 'x'.repeat(200), 'toString', '\0'])(
    'by the name %j',
    async (id) => {
      await using t = await fixture();
      await expect(run(t, {}, id)).rejects.toMatchObject({ type: 'SkillNotFound' });
      await expect(t.skills.get(id)).rejects.toMatchObject({ code: 'not_found' });
      await expect(t.skills.enable(ACME, id)).rejects.toMatchObject({ code: 'not_found' });
      await expect(t.skills.remove(id)).rejects.toMatchObject({ code: 'not_found' });
    },
  );

  it('when it is not enabled', async () => {
    await using t = await fixture();
    await withSkill(t, 'cat');
    expect(await t.skills.disable(ACME, 'mine')).toBe(true);
    expect(await t.skills.disable(ACME, 'mine')).toBe(false);
    await expect(run(t)).rejects.toMatchObject({ type: 'SkillNotEnabled', message: expect.stringContaining('not enabled') });
  });

  it('when it was changed, until it is approved again', async () => {
    await using t = await fixture();
    await withSkill(t, 'cat');
    await writeFile(join(t.folder, 'mine', 'execute.sh'), 'echo 1');
    await expect(run(t)).rejects.toMatchObject({ type: 'SkillNotApproved', context: { state: 'changed' } });
    const { hash } = await t.skills.get('mine');
    await expect(t.skills.approve('mine', 'another')).rejects.toMatchObject({ code: 'conflict' });
    await t.skills.approve('mine', hash);
    expect((await run(t)).result).toBe(1);
  });

  it('when it was changed and looks as before, whatever lists remember', async () => {
    const first = new Map<string, string>();
    await using t = await fixture(
      {},
      {
        hashes: {
          async of(folder) {
            const hash = first.get(folder) ?? (await hashPack(folder));
            first.set(folder, hash);
            return hash;
          },
        },
      },
    );
    await withSkill(t, 'cat');
    expect(await t.skills.list()).toMatchObject([{ state: 'approved' }]);
    const file = join(t.folder, 'mine', 'execute.sh');
    const { atime, mtime, size } = await stat(file);
    await writeFile(file, 'env\n');
    await utimes(file, atime, mtime);
    expect((await stat(file)).size).toBe(size);
    expect(await t.skills.list()).toMatchObject([{ state: 'approved' }]);
    await expect(run(t)).rejects.toMatchObject({ type: 'SkillNotApproved', context: { state: 'changed' } });
    expect(await t.skills.get('mine')).toMatchObject({ state: 'changed' });
  });

  it('when somebody put it there and nobody approved it', async () => {
    await using t = await fixture();
    await withSkill(t, 'cat');
    await mkdir(join(t.folder, 'other'));
    await writeFile(join(t.folder, 'other', 'SKILL.md'), '---\nname: other\ndescription: x\n---\n');
    await t.skills.enable(ACME, 'other');
    await expect(run(t, {}, 'other')).rejects.toMatchObject({ type: 'SkillNotApproved', context: { state: 'unapproved' } });
  });

  it('when it has no program, naming those that are looked for', async () => {
    await using t = await fixture();
    const source = join(t.root, 'words');
    await mkdir(source);
    await writeFile(join(source, 'SKILL.md'), '---\nname: words\ndescription: x\n---\nDo this.\n');
    await t.skills.add(source, signal);
    await t.skills.enable(ACME, 'words');
    await expect(run(t, {}, 'words')).rejects.toMatchObject({
      type: 'SkillNotRunnable',
      message: expect.stringContaining('execute.js, execute.mjs, execute.sh'),
    });
  });

  it('when its program is a link out of its folder', async () => {
    await using t = await fixture();
    await mkdir(join(t.folder, 'linked'));
    await writeFile(join(t.folder, 'linked', 'SKILL.md'), '---\nname: linked\ndescription: x\n---\n');
    await symlink('/bin/sh', join(t.folder, 'linked', 'execute.sh'));
    const { hash } = await t.skills.get('linked');
    await t.skills.approve('linked', hash);
    await t.skills.enable(ACME, 'linked');
    await expect(run(t, {}, 'linked')).rejects.toMatchObject({ type: 'SkillNotRunnable', message: expect.stringContaining('a link') });
  });

  it.each([
    ['no front matter', '# Mine\n\nDoes things.\n', 'no front matter'],
    ['no description', '---\nname: mine\n---\n', 'description'],
    ['a variable that changes programs', '---\nname: mine\ndescription: x\nwarren: { secrets: { LD_PRELOAD: a } }\n---\n', 'LD_PRELOAD'],
    ['a proxy as a variable', '---\nname: mine\ndescription: x\nwarren: { secrets: { http_proxy: a } }\n---\n', 'http_proxy'],
    ['a folder above', '---\nname: mine\ndescription: x\nwarren: { mounts: [{ path: ../x }] }\n---\n', 'mounts'],
    ['an unknown field of ours', '---\nname: mine\ndescription: x\nwarren: { hots: [] }\n---\n', 'hots'],
    ['a name that leads out', '---\nname: ../mine\ndescription: x\n---\n', 'name'],
  ])('with %s', async (_, text, why) => {
    await using t = await fixture();
    const source = join(t.root, 'bad');
    await mkdir(source);
    await writeFile(join(source, 'SKILL.md'), text);
    await expect(t.skills.add(source, signal)).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(why) });
    expect(await t.skills.list()).toEqual([]);
    expect((await readdir(t.folder)).filter((name) => !name.startsWith('.approved'))).toEqual([]);
  });

  it('when it is a folder without SKILL.md, before anything else of it is read', async () => {
    await using t = await fixture();
    const source = join(t.root, 'whatever');
    await mkdir(source);
    await symlink('/etc/passwd', join(source, 'link')); // Reading it would be refused in other words.
    await expect(t.skills.add(source, signal)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('no SKILL.md'),
    });
    await expect(t.skills.add('/', signal)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('when it is larger than one may be, and the others are still listed', async () => {
    await using t = await fixture();
    await withSkill(t, 'cat');
    await mkdir(join(t.folder, 'huge'));
    await writeFile(join(t.folder, 'huge', 'SKILL.md'), '---\nname: huge\ndescription: x\n---\n');
    await truncate(join(t.folder, 'huge', 'SKILL.md'), 100_000_000);
    const listed = (await t.skills.list()).map(({ id, state, problems }) => ({ id, state, problems }));
    expect(listed).toEqual([
      { id: 'huge', state: 'broken', problems: [expect.stringMatching(/^it has more than \d+ bytes$/)] },
      { id: 'mine', state: 'approved', problems: [] },
    ]);
  });

  it('when it declares a secret that it does not get', async () => {
    await using t = await fixture();
    await withSkill(t, 'cat', 'warren: { secrets: { API_KEY: api/key } }\n');
    await expect(run(t)).rejects.toMatchObject({ type: 'SecretUnavailable', context: { secret: 'api/key' } });
  });
});

describe('a skill fails', () => {
  const limits = 'warren: { timeout_seconds: 2, memory_bytes: 67108864, output_bytes: 65536 }\n';
  it.each([
    ['with its exit code', 'echo why >&2; exit 3', { type: 'SkillFailed', context: { exit_code: 3, log: 'why\n' } }],
    ['by a signal', 'kill -9 $$', { type: 'SkillFailed' }],
    ['when it prints no JSON', 'echo no', { type: 'InvalidReturn' }],
    ['when it prints nothing', 'true', { type: 'InvalidReturn' }],
    ['when it prints without end', 'yes', { type: 'InvalidReturn', context: { limit: 'output' } }],
    ['when it prints 1 GB', 'head -c 1000000000 /dev/zero', { type: 'InvalidReturn', context: { limit: 'output' } }],
    ['when it says 1 GB of errors', 'head -c 1000000000 /dev/zero >&2; echo 1', { type: 'InvalidReturn', context: { limit: 'output' } }],
    ['when it never ends and does not listen', "trap '' TERM INT HUP; while :; do :; done", { type: 'Timeout' }],
    ['when it never ends', 'sleep 100', { type: 'Timeout', context: { timeout_seconds: 2 } }],
    [
      'when it takes all memory',
      'exec python3 -c "x = bytearray(500_000_000)"',
      { type: expect.stringMatching(/ResourceExhausted|SkillFailed/) },
    ],
  ])('%s', async (_, script, error) => {
    await using t = await fixture();
    await withSkill(t, script, limits);
    await expect(run(t)).rejects.toMatchObject(error);
  });

  it('no more when it leaves something behind: it ends with the run', async () => {
    await using t = await fixture();
    await withSkill(t, 'sleep 1000 & echo 1', limits);
    expect((await run(t)).result).toBe(1);
  });

  it.each([
    ['answers', 'echo 1'],
    ['runs out of time', 'sleep 100'],
  ])('and nothing of it is left on this machine when it %s', async (_, end) => {
    const seconds = String(100_000 + Math.trunc(Math.random() * 900_000));
    await using t = await fixture();
    await withSkill(
      t,
      `sleep ${seconds} & setsid sleep ${seconds} & (setsid sh -c 'trap "" TERM HUP; sleep ${seconds}' &); ${end}`,
      limits,
    );
    await run(t).catch(() => {}); // However it ends.
    const left = readdirSync('/proc').filter((pid) => wordsOf(pid).includes(`sleep\0${seconds}`));
    expect(left).toEqual([]);
  });
});

function wordsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It is no process, or none any more.
  }
}

it('a skill that was set aside for one that never came is there again after a start', async () => {
  await using t = await fixture();
  await withSkill(t, 'echo 1');
  await rename(join(t.folder, 'mine'), join(t.folder, '.old-0123456789ab-mine'));
  await mkdir(join(t.folder, '.new-0123456789ab'));
  const unused = { sandboxes, directoryOf: () => t.root, filesOf: () => t.root, privateNetworks: [], isWatching: false, say: () => {} };
  using again = await openSkills({ ...unused, folder: t.folder, useSecret: async () => undefined });
  expect(await again.list()).toMatchObject([{ id: 'mine', state: 'approved' }]);
  expect((await readdir(t.folder)).toSorted()).toEqual(['.approved.json', 'mine']);
});

it('a skill that was set aside for one that came and was not approved is there again after a start, unless that one was', async () => {
  await using t = await fixture();
  const unused = { sandboxes, directoryOf: () => t.root, filesOf: () => t.root, privateNetworks: [], isWatching: false, say: () => {} };
  const reopen = () => openSkills({ ...unused, folder: t.folder, useSecret: async () => undefined });
  const aside = join(t.folder, '.old-0123456789ab-mine');
  const place = join(t.folder, 'mine');
  await withSkill(t, 'echo 1');
  await cp(place, aside, { recursive: true });
  await writeFile(join(place, 'execute.sh'), 'echo 2\n');
  {
    using again = await reopen();
    expect(await again.list()).toMatchObject([{ id: 'mine', state: 'approved' }]);
    expect(await readFile(join(place, 'execute.sh'), 'utf8')).toBe('echo 1\n');
  }
  await cp(place, aside, { recursive: true });
  await withSkill(t, 'echo 3');
  {
    using again = await reopen();
    expect(await again.list()).toMatchObject([{ id: 'mine', state: 'approved' }]);
    expect(await readFile(join(place, 'execute.sh'), 'utf8')).toBe('echo 3\n');
  }
  expect((await readdir(t.folder)).toSorted()).toEqual(['.approved.json', 'mine']);
});

it.each<[string, (file: string) => Promise<void>]>([
  ['is no JSON', (file) => writeFile(file, '{"mine": ')],
  ['is no JSON object', (file) => writeFile(file, '[]')],
  [
    'cannot be read',
    async (file) => {
      await rm(file);
      await mkdir(file);
    },
  ],
])('what is approved of skills is not taken back when its file %s, and the file is named', async (_, spoil) => {
  await using t = await fixture();
  await withSkill(t, 'cat');
  const file = join(t.folder, '.approved.json');
  const approved = await readFile(file, 'utf8');
  await spoil(file);
  const source = join(t.root, 'other');
  await mkdir(source);
  await writeFile(join(source, 'SKILL.md'), '---\nname: other\ndescription: x\n---\n');
  const refused = {
    code: 'store_failed',
    message: expect.stringContaining('skills/.approved.json'),
    details: { file: 'skills/.approved.json' },
  };
  await expect(t.skills.add(source, signal)).rejects.toMatchObject(refused);
  await expect(t.skills.list()).rejects.toMatchObject(refused);
  await expect(t.skills.remove('mine')).rejects.toMatchObject(refused);
  await expect(run(t)).rejects.toMatchObject(refused);
  await rm(file, { recursive: true });
  await writeFile(file, approved);
  expect(await t.skills.list()).toMatchObject([{ id: 'mine', state: 'approved' }]);
});

it('a skill that is changed by hand is told of, and listed as it is then', async () => {
  await using t = await fixture({}, { isWatching: true });
  await withSkill(t, 'cat');
  expect(await t.skills.list()).toMatchObject([{ state: 'approved' }]);
  for (const [script, state] of [
    ['echo 1\n', 'changed'],
    ['cat\n', 'approved'],
  ] as const) {
    const { promise: changed, resolve } = Promise.withResolvers<void>();
    using _ = t.skills.onChange(resolve);
    await writeFile(join(t.folder, 'mine', 'execute.sh'), script);
    await changed;
    expect(await t.skills.list()).toMatchObject([{ state }]);
  }
});
