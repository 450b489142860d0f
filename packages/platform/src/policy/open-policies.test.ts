import { mkdir, rm, writeFile } from 'node:fs/promises';
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

const none = () => ({ amount: 0, oldestAt: undefined });
const ask = (capability: string, agent = 'bob', input = {}) => ({
  ...{ capability, agent, input, tags: [], taint: [], at: 0, defaultTier: 'notify' as const },
  facts: { paths: [], hosts: [], commands: [], contentBytes: undefined, estimate: {} },
});

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
      name: 'PoliciesError',
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

  it('notice by themselves that files come, change and go', async () => {
    await using directory = await withFiles({});
    const seen: ((status: PoliciesStatus) => void)[] = [];
    const next = (isWanted: (status: PoliciesStatus) => boolean) =>
      new Promise<void>((resolve) => {
        seen.push((status) => {
          if (isWanted(status)) resolve();
        });
      });
    await using policies = await open(
      directory,
      (status) => {
        for (const tell of seen) tell(status);
      },
      true,
    );
    const came = next(({ files }) => files.length === 1);
    await writeFile(directory.join('system.yaml'), 'default: blocked');
    await came;
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('blocked');
    const went = next(({ files }) => files.length === 0);
    await rm(directory.join('system.yaml'));
    await went;
    expect(policies.policyOf(DEFAULT_WORKSPACE).decide(ask('a.b'), none).tier).toBe('notify');
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
