import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { DEFAULT_WORKSPACE, parseWorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { openPolicies, type PoliciesStatus } from './open-policies.ts';
import { TEMPLATES } from './templates.ts';

const ACME = parseWorkspaceId('acme');

async function withFiles(files: Readonly<Record<string, string>>): Promise<TemporaryDirectory> {
  const directory = await TemporaryDirectory.create();
  for (const folder of ['agents', 'workspaces/acme/agents']) await mkdir(directory.join(folder), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(directory.join(name), content);
  return directory;
}

const open = (directory: TemporaryDirectory, onRead?: (status: PoliciesStatus, isInForce: boolean) => void, isWatching = false) =>
  openPolicies({ directory: directory.path, now: () => 5_000, isWatching, onRead });

function makePipe(path: string): void {
  execFileSync('mkfifo', [path]);
}

const none = () => ({ amount: 0, oldestAt: undefined });
const ask = (capability: string, agent = 'bob', input = {}) => ({
  ...{ capability, agent, input, tags: [], taint: [], at: 0, defaultTier: 'notify' as const },
  facts: { paths: [], hosts: [], commands: [], contentBytes: undefined, estimate: {} },
});

/** What is told after each reading. */
class News {
  readonly #waiting = new Set<(status: PoliciesStatus) => void>();

  readonly tell = (status: PoliciesStatus): void => {
    for (const each of this.#waiting) each(status);
  };

  /** Resolves with the next reading that is wanted. */
  next(isWanted: (status: PoliciesStatus) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add((status) => {
        if (isWanted(status)) resolve();
      });
    });
  }
}

describe('policies', () => {
  it('are none in a directory that is not there, which is made', async () => {
    await using directory = await TemporaryDirectory.create();
    await using policies = await openPolicies({ directory: directory.join('policies'), now: () => 1, isWatching: false });
    expect(policies.status()).toMatchObject({ files: [], problems: [], loadedAt: 1 });
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('notify');
  });

  it('concern whom the place of their file says', async () => {
    await using directory = await withFiles({
      'system.yaml': 'rules: [{ capability: git.push, tier: blocked, reason: never }]',
      'workspace.yaml': 'rules: [{ capability: "git.*", tier: approval_required }]',
      'agents/bob.yaml': 'rules: [{ capability: a.b, tier: blocked }]',
      'workspaces/acme/workspace.yml': 'default: autonomous',
      'workspaces/acme/agents/bob.yaml': 'default: approval_required',
      'notes.txt': 'not: [a policy',
      'agents/README.md': '',
    });
    await using policies = await open(directory);
    const tiers = (workspace: typeof ACME, agent: string, capability: string) =>
      policies.policyOf(workspace).decide(ask(capability, agent), none).tier;
    expect(tiers(DEFAULT_WORKSPACE, 'bob', 'git.push')).toBe('blocked');
    expect(tiers(DEFAULT_WORKSPACE, 'bob', 'git.log')).toBe('approval_required');
    expect(tiers(DEFAULT_WORKSPACE, 'bob', 'a.b')).toBe('blocked');
    expect(tiers(DEFAULT_WORKSPACE, 'eve', 'a.b')).toBe('notify');
    expect(tiers(ACME, 'bob', 'a.b')).toBe('approval_required');
    expect(tiers(ACME, 'eve', 'a.b')).toBe('autonomous');
    expect(tiers(ACME, 'eve', 'git.push')).toBe('blocked');
    expect(policies.status(ACME).files.map(({ layer, file }) => [layer, file])).toEqual([
      ['system', 'system.yaml'],
      ['workspace', 'workspaces/acme/workspace.yml'],
      ['agent', 'workspaces/acme/agents/bob.yaml'],
    ]);
    expect(policies.filesFor(DEFAULT_WORKSPACE, 'eve').map(({ file }) => file)).toEqual(['system.yaml', 'workspace.yaml']);
  });

  it('name the file and the line of the rule that decided', async () => {
    await using directory = await withFiles({
      'workspace.yaml':
        'default: notify\nrules:\n  - id: one\n    capability: a.b\n    tier: notify\n\n  - id: two\n    capability: c.d\n    tier: blocked\n    reason: because\n',
    });
    await using policies = await open(directory);
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('c.d'), none).rule).toEqual({
      layer: 'workspace',
      file: 'workspace.yaml',
      line: 7,
      rule: 'two',
      reason: 'because',
    });
  });

  it.each([
    ['malformed YAML', 'rules: [', /^workspace\.yaml:1: /],
    ['nothing in it', '', /^workspace\.yaml:1: says nothing/],
    ['nothing but a comment', '# default: blocked', /^workspace\.yaml:1: says nothing/],
    ['a duplicate key', 'default: notify\ndefault: blocked', /^workspace\.yaml:2: .*unique/i],
    [
      'an unknown key',
      'rules:\n  - capability: a.b\n    tier: notify\n    wen: {}',
      /^workspace\.yaml:\d: rules\[0\]\.wen: is unknown here/,
    ],
    ['an unknown tier', 'default: allowed', /^workspace\.yaml:1: default: /],
    ['an unknown template', 'extends: nothing', /^workspace\.yaml:1: extends: there is no template "nothing"/],
    [
      'a regular expression that could explode',
      'rules: [{ capability: a.b, tier: notify, when: { args: { x: { regex: "(a)\\\\1" } } } }]',
      /^workspace\.yaml:1: /,
    ],
    [
      'a host pattern that is too broad',
      'rules: [{ capability: a.b, tier: notify, when: { host: { matches: "*.com:x" } } }]',
      /^workspace\.yaml:1: /,
    ],
    [
      'no duration',
      'rules: [{ capability: a.b, tier: notify, limit: { max: 1, per: soon } }]',
      /^workspace\.yaml:1: rules\[0\]\.limit\.per: /,
    ],
    [
      'aliases without end',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefgh'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`)
        .join('\n')}`,
      /^workspace\.yaml:1: .*alias/i,
    ],
  ])('with %s do not start', async (_, content, problem) => {
    await using directory = await withFiles({ 'workspace.yaml': content });
    await expect(open(directory)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(problem.source.replace('^', ': ')),
    });
  });

  it('stay as they were when one of the files breaks, and say why; and come into force when it is whole again', async () => {
    await using directory = await withFiles({
      'system.yaml': 'default: notify',
      'workspace.yaml': 'rules: [{ capability: a.b, tier: blocked }]',
    });
    await using policies = await open(directory);
    const before = policies.policyOf(DEFAULT_WORKSPACE);
    const { version } = policies.status();
    await writeFile(directory.join('workspace.yaml'), 'rules: [{ capability: a.b, tier: autonomous }');
    await writeFile(directory.join('system.yaml'), 'default: blocked');
    const status = await policies.reload();
    expect(status.version).toBe(version);
    expect(status.problems).toEqual([expect.objectContaining({ file: 'workspace.yaml', severity: 'error' })]);
    expect(policies.policyOf(DEFAULT_WORKSPACE)).toBe(before);
    expect(before.decide(ask('a.b'), none).tier).toBe('blocked');
    await writeFile(directory.join('workspace.yaml'), 'rules: [{ capability: a.b, tier: autonomous }]');
    expect(await policies.reload()).toMatchObject({ problems: [] });
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('x.y'), none).tier).toBe('blocked');
    expect(policies.policyOf(DEFAULT_WORKSPACE)).not.toBe(before);
  });

  it('notice by themselves that files come and change', async () => {
    await using directory = await withFiles({});
    const news = new News();
    await using policies = await open(directory, news.tell, true);
    const came = news.next(({ files }) => files.length === 1);
    await writeFile(directory.join('system.yaml'), 'default: blocked');
    await came;
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('blocked');
    const changed = news.next(() => policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier === 'autonomous');
    await writeFile(directory.join('.system.yaml.swp'), 'default: autonomous');
    await rename(directory.join('system.yaml'), directory.join('system.yaml~'));
    await rename(directory.join('.system.yaml.swp'), directory.join('system.yaml'));
    await changed;
    expect(policies.status().problems).toEqual([]);
  });

  it.each([
    ['emptied', (directory: string) => writeFile(`${directory}/system.yaml`, ''), 'system.yaml', /says nothing/],
    [
      'cut off after a comment',
      (directory: string) => writeFile(`${directory}/system.yaml`, '# ours\n---\n'),
      'system.yaml',
      /says nothing/,
    ],
    ['half written', (directory: string) => writeFile(`${directory}/system.yaml`, 'rules:\n'), 'system.yaml', /^rules: /],
    ['removed', (directory: string) => rm(`${directory}/system.yaml`), 'system.yaml', /is gone; .*warren policy reload/],
    ['removed with its directory', (directory: string) => rm(directory, { recursive: true }), 'system.yaml', /is gone/],
    ['moved away with its directory', (directory: string) => rename(directory, `${directory}.old`), 'system.yaml', /is gone/],
  ] as const)('stay in force by themselves when a file is %s', async (_, change, file, message) => {
    await using directory = await withFiles({ 'state.txt': '' });
    await mkdir(directory.join('policies'));
    await writeFile(directory.join('policies/system.yaml'), 'rules: [{ capability: git.push, tier: blocked }]');
    const news = new News();
    await using policies = await openPolicies({ directory: directory.join('policies'), now: () => 1, isWatching: true, onRead: news.tell });
    const { version } = policies.status();
    const noticed = news.next(({ problems }) => problems.length > 0);
    await change(directory.join('policies'));
    await noticed;
    expect(policies.status()).toMatchObject({
      ...{ version, files: [{ file: 'system.yaml' }] },
      problems: [{ file, severity: 'error', message: expect.stringMatching(message) }],
    });
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('git.push'), none).tier).toBe('blocked');
  });

  it('give a removed file up when somebody says that it was meant, and not with other changes before', async () => {
    await using directory = await withFiles({ 'system.yaml': 'default: blocked', 'workspace.yaml': 'rules: []' });
    const news = new News();
    await using policies = await open(directory, news.tell, true);
    const gone = news.next(({ problems }) => problems.length > 0);
    await rm(directory.join('system.yaml'));
    await gone;
    const again = news.next(() => true);
    await writeFile(directory.join('workspace.yaml'), 'default: autonomous');
    await again;
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('blocked');
    expect(await policies.reload()).toMatchObject({ files: [{ file: 'workspace.yaml' }], problems: [] });
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('autonomous');
  });

  it('go on noticing when another directory stands in the place of theirs, and say what they do not notice', async () => {
    await using directory = await withFiles({});
    const path = directory.join('policies');
    await mkdir(path);
    await writeFile(`${path}/system.yaml`, 'default: notify');
    const news = new News();
    const said: string[] = [];
    await using policies = await openPolicies({
      ...{ directory: path, now: () => 1, isWatching: true, onRead: news.tell },
      say: (message) => said.push(message),
    });
    const gone = news.next(({ problems }) => problems.length > 0);
    await rename(path, `${path}.old`);
    await gone;
    const back = news.next(({ problems }) => problems.length === 0);
    await mkdir(path);
    await writeFile(`${path}/system.yaml`, 'default: autonomous');
    await back;
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('autonomous');
    const changed = news.next(() => policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier === 'blocked');
    await writeFile(`${path}/system.yaml`, 'default: blocked');
    await changed;
    expect(said).toEqual([`Changes in ${path} are not noticed: it is gone`, `Changes in ${path} are noticed again`]);
  });

  it.each([
    ['a pipe', makePipe, 'is a pipe, not a plain file'],
    ['a link to a device that never ends', (path: string) => symlink('/dev/zero', path), 'is a device, not a plain file'],
    ['a directory', (path: string) => mkdir(path), 'is a directory, not a plain file'],
    ['a link to nowhere', (path: string) => symlink('nowhere', path), 'cannot be read: ENOENT'],
    ['larger than any policy', (path: string) => writeFile(path, '').then(() => truncate(path, 2 ** 40)), 'is larger than 8388608 bytes'],
    ['no text', (path: string) => writeFile(path, Buffer.from([0xff, 0xfe])), 'is no UTF-8 text'],
  ] as const)('with a file that is %s say so without waiting for it, and stay in force', async (_, make, message) => {
    await using directory = await withFiles({ 'system.yaml': 'default: blocked', 'agents/bob.yaml': '{}' });
    await using policies = await open(directory);
    for (const file of ['workspace.yaml', 'agents/bob.yaml']) {
      await rm(directory.join(file), { force: true });
      await make(directory.join(file));
    }
    const { problems, files } = await policies.reload();
    expect(problems).toEqual(['workspace.yaml', 'agents/bob.yaml'].map((file) => ({ file, line: undefined, severity: 'error', message })));
    expect(files.map(({ file }) => file)).toEqual(['system.yaml', 'agents/bob.yaml']);
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('blocked');
    await expect(open(directory)).rejects.toThrow(`workspace.yaml: ${message}`);
  });

  it('that are links to plain files are read', async () => {
    await using directory = await withFiles({ 'notes.md': 'default: blocked' });
    await symlink('notes.md', directory.join('system.yaml'));
    await using policies = await open(directory);
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('blocked');
  });

  it('say that their directory cannot be read, and stay in force', async () => {
    await using directory = await withFiles({ 'system.yaml': 'default: blocked' });
    const told = Promise.withResolvers<string>();
    const say = (message: string): void => {
      if (message.startsWith('Policies cannot be read')) told.resolve(message);
    };
    await using policies = await openPolicies({ directory: directory.path, now: () => 1, isWatching: true, say });
    await rm(directory.join('agents'), { recursive: true });
    await symlink('agents', directory.join('agents')); // A link to itself.
    expect(await told.promise).toMatch(/^Policies cannot be read, those before stay in force: .*ELOOP/);
    expect(policies.status().problems).toMatchObject([{ severity: 'error', message: 'cannot be read: ELOOP' }]);
    await expect(policies.reload()).rejects.toMatchObject({ code: 'ELOOP' });
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('blocked');
  });

  it('name what stands beside them and is not read, each to whom it may concern', async () => {
    const read = ['system.yaml', 'workspaces/acme/workspace.yml'];
    const quiet = ['README.md', '.hidden.yaml', 'system.yaml~', 'agents/.bob.yaml.swp', 'workspaces/acme/NOTES.md'];
    const strays = {
      'agents/bob.json': 'agents/bob.yaml',
      'organisation.yaml': 'organization.yaml',
      'workspace.yaml.bak': 'workspace.yaml',
      'zebra.txt': undefined,
      'workspaces/acme/System.yaml': 'workspaces/acme/system.yaml',
    };
    const all = [...read, ...quiet, ...Object.keys(strays)];
    await using directory = await withFiles(Object.fromEntries(all.map((file) => [file, 'default: notify'])));
    await mkdir(directory.join('agent'));
    await using policies = await open(directory);
    const { files, problems } = policies.status();
    expect(files.map(({ file }) => file)).toEqual(read);
    expect(problems.every(({ severity, message }) => severity === 'warning' && message.startsWith('is not read: '))).toBe(true);
    expect(problems.map(({ file, message }) => [file, /did you mean (.*)/.exec(message)?.[1]])).toEqual(
      Object.entries({ ...strays, 'agent/': 'agents/' }).toSorted(([one], [other]) => (one < other ? -1 : 1)),
    );
    expect(policies.problemsFor(ACME).map(({ file }) => file)).toEqual(['workspaces/acme/System.yaml']);
    expect(policies.problemsFor(DEFAULT_WORKSPACE).map(({ file }) => file)).not.toContain('workspaces/acme/System.yaml');
  });

  it.each(['rules: []', '{}', 'name: nothing yet'])('may say little: %s', async (content) => {
    await using directory = await withFiles({ 'system.yaml': content });
    await using policies = await open(directory);
    expect(policies.status()).toMatchObject({ files: [{ rules: 0 }], problems: [] });
  });

  it('show nobody the problems of the files of other workspaces', async () => {
    await using directory = await withFiles({ 'system.yaml': '{}' });
    await using policies = await open(directory);
    const broken = [
      'system.yaml',
      'workspace.yaml',
      'agents/bob.yaml',
      'workspaces/acme/workspace.yaml',
      'workspaces/acme/agents/secret.yaml',
    ];
    for (const file of broken) await writeFile(directory.join(file), 'default: no-such-tier');
    const all = await policies.reload();
    const filesOf = (problems: typeof all.problems) => problems.map(({ file }) => file).toSorted();
    expect(filesOf(all.problems)).toEqual(broken.toSorted());
    expect(filesOf(policies.status(DEFAULT_WORKSPACE).problems)).toEqual(['agents/bob.yaml', 'system.yaml', 'workspace.yaml']);
    expect(policies.problemsFor(DEFAULT_WORKSPACE)).toEqual(policies.status(DEFAULT_WORKSPACE).problems);
    expect(filesOf(policies.problemsFor(ACME))).toEqual([
      'system.yaml',
      'workspaces/acme/agents/secret.yaml',
      'workspaces/acme/workspace.yaml',
    ]);
  });

  it.each(TEMPLATES)('take over the template %s, and a rule with the id of one of its own is in its place', async (template) => {
    const id = template === 'enterprise-restrictive' ? 'two-people-before-leaving-the-machine' : 'ask-before-leaving-the-machine';
    const content = `extends: ${template}\nrules: [{ id: ${id}, capability: git.push, tier: notify }]`;
    await using directory = await withFiles({ 'workspace.yaml': content });
    await using policies = await open(directory);
    expect(policies.status().problems).toEqual([]);
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('git.push'), none)).toMatchObject({
      tier: 'notify',
      rule: { file: 'workspace.yaml', line: 2 },
    });
  });
});
