/** What an agent may find, or put, in its own files: no capability that meets it hangs or fails by a defect of ours. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import type { JsonObject } from '@warren/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Agent, shareAgents } from './agents.ts';

const agents = shareAgents();

const GATE_TYPES = [
  'PolicyDenied',
  'InvalidInput',
  'PathOutOfScope',
  'PermissionDenied',
  'ResourceExhausted',
  'FileTooLarge',
  'ServiceUnavailable',
];
const LONG = 'n'.repeat(255);
const DEEP = Array.from({ length: 200 }, () => 'deep').join('/');
const NAMES = [
  'fifo',
  'socket',
  'device',
  'loop',
  'dangling',
  'cycle',
  'empty',
  'unreadable',
  'closed',
  'closed/file',
  'directory',
  'line\nbreak',
  'ünï',
  '🜚',
  LONG,
  '-rf',
  DEEP,
  `${DEEP}/file`,
  'empty/below',
  'loop/below',
  'binary',
  'notutf8',
  `${LONG}n`,
  '',
  'nothing',
  '..',
  '\0',
  '\ud800',
  '/dev/zero',
  '/proc/self/mem',
  `${'x/'.repeat(2_040)}x`,
];

function makeTree(root: string): void {
  mkdirSync(root);
  const at = (name: string): string => `${root}/${name}`;
  execFileSync('mkfifo', [at('fifo')]);
  execFileSync('python3', ['-c', 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', 'socket'], { cwd: root });
  if (process.getuid?.() === 0) execFileSync('mknod', [at('device'), 'c', '1', '5']);
  symlinkSync('loop', at('loop'));
  symlinkSync('nowhere/at/all', at('dangling'));
  symlinkSync('.', at('cycle'));
  writeFileSync(at('empty'), '');
  writeFileSync(at('unreadable'), 'let secret\n', { mode: 0o000 });
  mkdirSync(at('closed'));
  writeFileSync(at('closed/file'), 'let it be\n');
  mkdirSync(at('directory'));
  for (const name of ['line\nbreak', 'ünï', '🜚', LONG, '-rf']) writeFileSync(at(name), 'let a = 1\n');
  mkdirSync(at(DEEP), { recursive: true });
  writeFileSync(at(`${DEEP}/file`), 'let a = 1\n');
  writeFileSync(at('binary'), Buffer.from([0, 1, 2, 255, 10]));
  writeFileSync(at('notutf8'), Buffer.from([0x6c, 0x65, 0x74, 0xff, 0xfe, 10]));
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe, 0x61])]), 'let a = 1\n');
  execFileSync('chown', ['-R', '--reference', agents().files(), root]);
  chmodSync(at('closed'), 0o000);
}

const patchOf = (name: string): string => `--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-let a = 1\n+let a = 2\n`;

/** Every capability about files, given a path. */
function callsOf(path: string): readonly (readonly [string, JsonObject])[] {
  return [
    ['filesystem.read', { path }],
    ['filesystem.read', { path, offset: 1, limit: 1, encoding: 'binary' }],
    ['filesystem.stat', { path }],
    ['filesystem.list', { path, include_hidden: true }],
    ['filesystem.search', { path, pattern: '**/*', include_hash: true }],
    ['filesystem.search_content', { path, pattern: 'let' }],
    ['filesystem.search_content', { path, pattern: 'l(e)t', regex: true, count_by: '1', include_hidden: true }],
    ['filesystem.edit', { path, pattern: 'let', replace: 'var', replace_all: true, dry_run: true }],
    ['filesystem.edit', { path, pattern: 'nowhere', replace: 'var', expected_replacements: 1 }],
    ['filesystem.watch', { path, recursive: true }],
    ['filesystem.watch', { path }],
    ['code.glob', { path, pattern: '**/*', include_ignored: true }],
    ['code.grep', { path, pattern: 'let', before: 1, after: 1 }],
    ['code.grep', { path, pattern: 'let\\s', multiline: true, include_ignored: true, mode: 'count' }],
    ['code.diff', { path_a: path, path_b: path }],
    ['code.outline', { path }],
    ['code.outline', { path, language: 'python' }],
    ['code.edit', { path, old_string: 'nowhere', new_string: 'x' }],
    ['code.multi_edit', { path, edits: [{ old_string: 'nowhere', new_string: 'x' }] }],
    ['code.patch', { path, patch: patchOf('x'), dry_run: true }],
    ['code.patch', { path: 'tree', patch: patchOf(path.replace(/^tree\//, '')), dry_run: true }],
    ['git.init', { path: `${path}/new` }],
    ['git.status', { path }],
    ['git.log', { path }],
    ['git.diff', { path }],
    ['git.branch', { path, action: 'list' }],
    ['git.checkout', { path, ref: 'main' }],
    ['git.commit', { path, message: 'm' }],
    ['process.run', { command: 'true', working_directory: path }],
    ['process.run', { command: path }],
  ];
}

/** Those that change what they are given, each to a copy of its own. */
function changesOf(path: string, copy: string): readonly (readonly [string, JsonObject])[] {
  return [
    ['filesystem.mkdir', { path }],
    ['filesystem.copy', { source: path, destination: copy }],
    ['filesystem.copy', { source: path, destination: path }],
    ['filesystem.move', { source: path, destination: `${path}/x` }],
    ['filesystem.append', { path, content: 'x' }],
    ['filesystem.write', { path, content: 'x' }],
    ['filesystem.write', { path: `${path}/below`, content: 'x', create_parents: true }],
    ['filesystem.move', { source: path, destination: `${copy}-moved` }],
    ['filesystem.delete', { path: `${copy}-moved` }],
    ['filesystem.delete', { path }],
    ['filesystem.restore', { path }],
    ['filesystem.restore', { trash_path: `${copy}-moved` }],
  ];
}

/** What its definition says it answers, and what the gate answers for all of them. */
function typesOf(capability: string): ReadonlySet<string> {
  const named = agents().platform.capabilities.findDefinition(capability)?.errors ?? [];
  return new Set([...named.map(({ type }) => type), ...GATE_TYPES]);
}

async function defectsOf(agent: Agent, calls: readonly (readonly [string, JsonObject])[]): Promise<readonly string[]> {
  const defects: string[] = [];
  for (const [capability, input] of calls) {
    const answer = await agent.ask(capability, input, { deadlineMs: 20_000 });
    if (capability === 'filesystem.watch' && answer.kind === 'done')
      await agent.call('filesystem.unwatch', { watch_id: answer.output['watch_id'] ?? '' });
    const shown = JSON.stringify(answer);
    const isDefect = answer.kind === 'failed' && !typesOf(capability).has(answer.error.type);
    const isLeak = shown.includes(agents().directory.path);
    if (isDefect || isLeak) defects.push(`${capability} ${JSON.stringify(input).slice(0, 200)}: ${shown.slice(0, 400)}`);
  }
  return defects;
}

describe('files that are no usual files', () => {
  let agent: Agent;
  beforeAll(async () => {
    agent = await agents().agent();
    await agent.shell('true');
    await agent.shell('mkdir copies');
    makeTree(agents().files('tree'));
  });

  it('have an answer from every capability that looks at them', async () => {
    const paths = NAMES.map((name) => (name.startsWith('/') ? name : `tree/${name}`));
    const defects: string[] = [];
    for (const path of paths) defects.push(...(await defectsOf(agent, callsOf(path))));
    expect(defects).toEqual([]);
  });

  it('have an answer from every capability that changes them', async () => {
    const defects: string[] = [];
    for (const [index, name] of NAMES.entries()) {
      const path = name.startsWith('/') ? name : `tree/${name}`;
      defects.push(...(await defectsOf(agent, changesOf(path, `copies/${index}`))));
    }
    expect(defects).toEqual([]);
  });

  it('have an answer while somebody changes what they are', async () => {
    const script = `
mkdir -p moving && cd moving && i=0
while [ $i -lt 1000000 ]; do
  i=$((i + 1))
  rm -rf x; mkdir x; rm -rf x; ln -s /etc/passwd x; rm -f x; mkfifo x; rm -f x; echo let $i > x; mv -f x y; ln -s y x; rm -f x; ln -s . x; rm -f x; echo "let a = 1" > x
done`;
    const { process_id } = await agent.call('process.run', { command: 'sh', args: ['-c', script], background: true });
    const defects: string[] = [];
    for (let round = 0; round < 3; round++) {
      defects.push(...(await defectsOf(agent, [...callsOf('moving/x'), ...callsOf('moving')])));
      defects.push(...(await defectsOf(agent, changesOf('moving/x', `copies/moving${round}`))));
    }
    await agent.call('process.kill', { process_id: process_id ?? '' });
    expect(defects).toEqual([]);
  });
});
