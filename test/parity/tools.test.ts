import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { JsonObject } from '@warren/protocol';
import { expect, vi } from 'vitest';
import { type Agent, shareAgents } from './agents.ts';
import { proves } from './proves.ts';

vi.setConfig({ testTimeout: 60_000 }); // Each agent has a sandbox of its own, and some of them run dozens of commands.

const agents = shareAgents();

/** An agent that may read all of its workspace and write below `/workspace/own` only. */
function readerOf(): Promise<Agent> {
  return agents().agent({
    paths: [
      { prefix: '/workspace', mode: 'r' },
      { prefix: '/workspace/own', mode: 'rw' },
    ],
  });
}

let made = 0;
/** A directory of this name below the workspace that no other test uses; its path to agents. */
function folder(): string {
  made++;
  mkdirSync(agents().files(`t${made}`), { recursive: true });
  return `/workspace/t${made}`;
}

function put(path: string, content: string | Uint8Array): void {
  writeFileSync(agents().files(path.replace('/workspace/', '')), content);
}

proves('tool:dispatch', async () => {
  mkdirSync(agents().files('own'), { recursive: true });
  const narrow = await agents().agent({ tools: ['system.echo', 'filesystem.*'], paths: [{ prefix: '/workspace/own', mode: 'rw' }] });
  expect(
    await narrow.errorsOf([
      ['nothing.here', {}],
      ['code.glob', { pattern: '*' }],
      ['filesystem.read', { path: '/workspace/elsewhere' }],
      ['filesystem.read', {}],
      ['filesystem.read', { path: '/workspace/own/none' }],
      ['system.echo', { text: 'here' }],
    ]),
  ).toEqual(['UnknownCapability', 'GrantMissing', 'PathOutOfScope', 'InvalidInput', 'FileNotFound', 'none']);
  const { entries } = await agents().platform.audit.search({ pid: narrow.pid, kind: 'syscall' });
  expect(entries.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    'nothing.here failure',
    'code.glob denied',
    'filesystem.read denied',
    'filesystem.read failure',
    'filesystem.read failure',
    'system.echo success',
  ]);
});

proves('tool:dispatch', 'a text is echoed as it is, with its length', async () => {
  const agent = await agents().agent();
  expect(await agent.call('system.echo', { text: 'grüße 🙂\n' })).toEqual({ text: 'grüße 🙂\n', len: 8 });
});

proves('tool:read-write', async () => {
  const at = folder();
  const agent = await agents().agent();
  expect(await agent.call('filesystem.write', { path: `${at}/a`, content: 'grüße' })).toMatchObject({ path: `${at}/a`, size: 7 });
  expect(await agent.call('filesystem.read', { path: `${at}/a` })).toMatchObject({ content: 'grüße', size: 7, truncated: false });
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  put(`${at}/b`, bytes);
  expect(await agent.call('filesystem.read', { path: `${at}/b`, encoding: 'binary' })).toMatchObject({ content: bytes.toString('base64') });
  expect(
    await agent.errorsOf([
      ['filesystem.read', { path: `${at}/b` }],
      ['filesystem.read', { path: at }],
      ['filesystem.read', { path: `${at}/none` }],
      ['filesystem.write', { path: `${at}/none/deep`, content: '' }],
    ]),
  ).toEqual(['EncodingError', 'NotAFile', 'FileNotFound', 'ParentNotFound']);
});

proves('tool:read-write', 'who may only read does not write', async () => {
  const at = folder();
  put(`${at}/a`, 'old');
  const reader = await readerOf();
  expect(await reader.call('filesystem.read', { path: `${at}/a` })).toMatchObject({ content: 'old' });
  expect(await reader.errorOf('filesystem.write', { path: `${at}/a`, content: 'new' })).toBe('PathOutOfScope');
  expect(readFileSync(agents().files(at.replace('/workspace/', ''), 'a'), 'utf8')).toBe('old');
});

proves('tool:glob', async () => {
  const at = folder();
  const agent = await agents().agent();
  await agent.shell(
    `cd ${at}; mkdir -p src/deep; touch top.py src/b.py src/deep/a.py src/a.txt; i=0; while [ $i -lt 10 ]; do touch n$i.log; i=$((i+1)); done`,
  );
  expect(await agent.call('code.glob', { pattern: '**/*.py', path: at })).toEqual({
    matches: [`${at}/src/b.py`, `${at}/src/deep/a.py`, `${at}/top.py`],
    count: 3,
    truncated: false,
  });
  expect(await agent.call('code.glob', { pattern: '*.log', path: at, max_results: 5 })).toMatchObject({ count: 5, truncated: true });
  expect(await agent.call('code.glob', { pattern: '*.log', path: at, max_results: 20_000 })).toMatchObject({ count: 10, truncated: false });
  const bad: readonly JsonObject[] = [{ pattern: '../*' }, { pattern: 'a\0b' }, { pattern: '' }, { pattern: '*', max_results: 0 }];
  for (const input of bad) {
    expect(await agent.errorOf('code.glob', { path: at, ...input }), JSON.stringify(input)).toMatch(/^Invalid(Input|Pattern)$/);
  }
});

proves('tool:list', async () => {
  const at = folder();
  const agent = await agents().agent();
  await agent.shell(`cd ${at}; mkdir dir; printf abc > file; touch .hidden; ln -s file link`);
  const { entries, total } = await agent.call('filesystem.list', { path: at });
  expect(entries).toMatchObject([
    { name: 'dir', type: 'directory' },
    { name: 'file', type: 'file', size: 3 },
    { name: 'link', type: 'symlink' },
  ]);
  expect(total).toBe(3);
  expect(await agent.call('filesystem.list', { path: at, include_hidden: true })).toMatchObject({ total: 4 });
  expect(await agent.call('filesystem.list', { path: at, limit: 1 })).toMatchObject({ truncated: true, total: 3 });
  expect(
    await agent.errorsOf([
      ['filesystem.list', { path: `${at}/file` }],
      ['filesystem.list', { path: `${at}/none` }],
    ]),
  ).toEqual(['NotADirectory', 'DirectoryNotFound']);
});

proves('tool:diff-and-outline', 'differences', async () => {
  const at = folder();
  put(`${at}/a`, 'one\ntwo\n');
  put(`${at}/b`, 'one\n2\n');
  const agent = await agents().agent();
  expect(await agent.call('code.diff', { text_a: 'x\n', text_b: 'x\n' })).toMatchObject({ diff: '', identical: true });
  const { diff, identical } = await agent.call('code.diff', { path_a: `${at}/a`, path_b: `${at}/b` });
  expect([String(diff).split('\n').slice(2).join('\n'), identical]).toEqual(['@@ -1,2 +1,2 @@\n one\n-two\n+2\n', false]);
  const bad: readonly JsonObject[] = [
    { text_a: 'a', text_b: 'b', context_lines: 21 },
    { text_a: 'a', text_b: 'b', context_lines: 'x' },
    { path_a: `${at}/a`, text_b: 'b' },
    {},
    { text_a: 'a', text_b: 'b', label_a: 'two\nlines' },
  ];
  for (const input of bad) expect(await agent.errorOf('code.diff', input), JSON.stringify(input)).toBe('InvalidInput');
});

proves('tool:diff-and-outline', 'outlines', async () => {
  const at = folder();
  put(`${at}/a.py`, 'import os\nclass Box:\n    def open(self):\n        pass\ndef free():\n    pass\n');
  put(`${at}/a.txt`, 'no program');
  const agent = await agents().agent();
  const outline = async (input: JsonObject): Promise<readonly string[]> => {
    const { nodes } = await agent.call('code.outline', { path: `${at}/a.py`, ...input });
    return (nodes as readonly JsonObject[]).map(({ kind, name, scope }) => [kind, ...(scope as readonly string[]), name].join(' '));
  };
  expect(await outline({})).toEqual(['import os', 'class Box', 'method Box open', 'function free']);
  expect(await outline({ include: ['class'] })).toEqual(['class Box']);
  expect(await outline({ max_depth: 1 })).toEqual(['import os', 'class Box', 'function free']);
  expect(await agent.call('code.outline', { text: 'def broken(:\n', language: 'python' })).toMatchObject({ syntax_error: { line: 1 } });
  expect(await agent.errorOf('code.outline', { path: `${at}/a.txt` })).toBe('LanguageUnknown');
});

proves('tool:exec', async () => {
  const agent = await agents().agent();
  expect(await agent.call('process.run', { command: 'echo', args: ['$(id); `id` > x | cat && *'] })).toMatchObject({
    exit_code: 0,
    stdout_summary: '$(id); `id` > x | cat && *\n',
  });
  expect(await agent.call('process.run', { command: 'sh', args: ['-c', 'exit 7'] })).toMatchObject({ exit_code: 7, state: 'completed' });
  process.env['PARITY_SECRET'] = 'of the daemon';
  try {
    const { stdout_summary } = await agent.call('process.run', { command: 'env', environment: { MINE: 'given' } });
    expect(String(stdout_summary)).not.toContain('of the daemon');
    expect(String(stdout_summary)).toContain('MINE=given');
  } finally {
    delete process.env['PARITY_SECRET'];
  }
});

proves('tool:exec', 'a command is a name or absolute, its directory is granted, and bounds are bounds', async () => {
  mkdirSync(agents().files('own'), { recursive: true });
  const narrow = await agents().agent({ paths: [{ prefix: '/workspace/own', mode: 'rw' }] });
  expect(
    await narrow.errorsOf([
      ['process.run', { command: './script', working_directory: '/workspace/own' }],
      ['process.run', { command: 'true', working_directory: '/workspace' }],
      ['process.run', { command: 'true', working_directory: '/workspace/own', environment: { LD_PRELOAD: '/tmp/x.so' } }],
      ['process.run', { command: 'true', working_directory: '/workspace/own', stdout_lines: -1 }],
    ]),
  ).toEqual(['InvalidInput', 'PathOutOfScope', 'InvalidInput', 'InvalidInput']);
});

proves('tool:exec', 'what runs sees no file that was not granted, whatever it is told to run', async () => {
  const at = folder();
  put(`${at}/secret`, 'hidden');
  mkdirSync(agents().files('own'), { recursive: true });
  const narrow = await agents().agent({ paths: [{ prefix: '/workspace/own', mode: 'rw' }] });
  const { exit_code, stdout_summary } = await narrow.call('process.run', {
    command: 'sh',
    args: ['-c', `cat ${at}/secret; ls /workspace`],
    working_directory: '/workspace/own',
  });
  expect([exit_code, stdout_summary]).toEqual([0, 'own\n']);
});

proves('tool:exec', 'long output is cut to the lines that are asked for', async () => {
  const agent = await agents().agent();
  expect(await agent.call('process.run', { command: 'seq', args: ['100000'], stdout_lines: 2 })).toMatchObject({
    stdout_summary: '99999\n100000\n',
  });
});

proves('tool:canonical-paths', async () => {
  const at = folder();
  put(`${at}/secret`, 'hidden');
  mkdirSync(agents().files('own'), { recursive: true });
  symlinkSync(`../${at.replace('/workspace/', '')}/secret`, agents().files('own', 'link'));
  symlinkSync('/etc/passwd', agents().files('own', 'host'));
  const narrow = await agents().agent({ paths: [{ prefix: '/workspace/own', mode: 'rw' }] });
  const inside = `/workspace/own/../${at.replace('/workspace/', '')}/secret`;
  for (const path of [inside, '/workspace/own/link', '/workspace/own/./link', '/etc/shadow']) {
    expect(await narrow.errorOf('filesystem.read', { path }), path).toMatch(
      /^(PathOutOfScope|PermissionDenied|FileNotFound|InvalidInput)$/,
    );
    expect(await narrow.errorOf('code.diff', { path_a: path, path_b: path }), path).not.toBe('none');
    expect(await narrow.errorOf('filesystem.write', { path, content: 'mine' }), path).not.toBe('none');
  }
  expect(await narrow.errorOf('filesystem.read', { path: '/workspace/own/link' })).toBe('PathOutOfScope');
  expect(await narrow.errorOf('filesystem.read', { path: '/workspace/own/host' })).toBe('PathOutOfScope');
  expect(readFileSync(agents().files(at.replace('/workspace/', ''), 'secret'), 'utf8')).toBe('hidden');
});

proves('tool:deadlines', async () => {
  const agent = await agents().agent();
  const stubborn = "trap '' TERM; (trap '' TERM; sleep 600) & (setsid sh -c \"trap '' TERM; sleep 601\") & sleep 602";
  const { state, exit_code, duration_ms } = await agent.call('process.run', { command: 'sh', args: ['-c', stubborn], timeout: 1 });
  expect([state, exit_code]).toEqual(['timed_out', null]);
  expect(Number(duration_ms)).toBeGreaterThanOrEqual(1_000);
  const left = await agent.shell(
    'n=0; for f in /proc/[0-9]*/comm; do read -r name < $f && [ "$name" = sleep ] && n=$((n+1)); done; echo $n',
  );
  expect(left).toBe('0\n');
});

proves('tool:bounded-output', async () => {
  const agent = await agents().agent();
  const before = process.memoryUsage().rss;
  const { stdout_summary, exit_code } = await agent.call('process.run', {
    command: 'sh',
    args: ['-c', 'head -c 300000000 /dev/zero | tr "\\0" x'],
  });
  expect([exit_code, String(stdout_summary).length < 1_048_576]).toEqual([0, true]);
  // Far below what came out, and above what the collector of a busy machine leaves lying about.
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1_048_576);
});

proves('tool:outline-and-diff', async () => {
  const agent = await agents().agent();
  const text =
    'if x:\n    def inner():\n        pass\ntry:\n    class Late:\n        pass\nfinally:\n    for i in y:\n        def looped(): pass\n';
  const { nodes } = await agent.call('code.outline', { text, language: 'python' });
  expect((nodes as readonly JsonObject[]).map(({ name }) => name)).toEqual(['inner', 'Late', 'looped']);
  const { diff } = await agent.call('code.diff', { text_a: 'a\nb', text_b: 'a\nb\n' });
  expect(String(diff)).toContain('\\ No newline at end of file');
});

proves('tool:outline-and-diff', 'inputs are bounded, and a deadline ends the work on them', async () => {
  const agent = await agents().agent();
  const large = 'def f(): pass\n'.repeat(200_000);
  expect(await agent.errorOf('code.outline', { text: large, language: 'python' })).toBe('InvalidInput');
  await agent.shell("yes 'def f(): pass' | head -n 200000 > large.py");
  expect(await agent.errorOf('code.outline', { path: 'large.py' })).toBe('FileTooLarge');
  const lines = (seed: number): string => Array.from({ length: 150_000 }, (_, line) => `${(line * seed) % 7919}`).join('\n');
  const answer = await agent.ask('code.diff', { text_a: lines(3), text_b: lines(5) }, { deadlineMs: 2_000 });
  const kind = answer.kind === 'failed' ? answer.error.type : answer.kind;
  expect(['done', 'Timeout', 'FileTooLarge']).toContain(kind);
  expect(await agent.call('system.echo', { text: 'still here' })).toMatchObject({ len: 10 });
  expect(existsSync(agents().files())).toBe(true);
});
