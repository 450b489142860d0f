/** `warren audit`: what happened is there, can be found, taken out and proved; and nothing happens that could not be recorded. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InclusionProof, verifyInclusion } from '@warren/kernel';
import { isFault } from '@warren/protocol';
import type { AuditRecord } from '@warren/protocol/contract';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { finish, PATIENCE_MS, printed } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const SECRET = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';

let gate: GateDaemon;
let pid: number;

beforeAll(async () => {
  gate = await GateDaemon.start();
  pid = await gate.startAgent('builder');
  await gate.call(pid, 'filesystem.write', { path: 'a.txt', content: 'hello' });
  await gate.call(pid, 'filesystem.read', { path: 'a.txt' });
  await gate.call(pid, 'filesystem.read', { path: 'missing.txt' });
  await gate.call(pid, 'filesystem.delete', { path: 'a.txt' });
});

afterAll(async () => await gate?.[Symbol.asyncDispose]());

async function search(...words: readonly string[]): Promise<readonly AuditRecord[]> {
  return (await gate.json<{ entries: AuditRecord[] }>(['audit', 'search', ...words])).entries;
}

/** A copy to tamper with. */
async function copyAudit(name: string): Promise<string> {
  const copy = join(gate.user.home, name);
  cpSync(gate.path('audit'), copy, { recursive: true });
  return copy;
}

function segmentOf(directory: string): string {
  return join(directory, readdirSync(directory).find((name) => name.endsWith('.log')) ?? '');
}

describe('warren audit', () => {
  it('shows the newest entries, and with --follow what happens', async () => {
    const { code, stdout } = await gate.warren(['audit', 'tail', '--limit', '3']);
    expect([code, stdout.split('\n').length]).toEqual([0, 4]);
    expect(stdout).toMatch(
      /^\[4\] \S+Z default builder#1 filesystem\.read success autonomous \d+ ms\n\[5\] .* failure .* FileNotFound \d+ ms\n\[6\] /,
    );

    const follower = gate.user.start(['audit', 'tail', '--follow', '--limit', '1', '--action', 'filesystem.stat']);
    const ended = finish(follower);
    await gate.call(pid, 'filesystem.stat', { path: 'first' });
    await printed(follower, 'filesystem.stat success');
    const second = printed(follower, 'filesystem.stat failure');
    await gate.call(pid, 'filesystem.list', { path: '/workspace' }); // Does not match.
    await gate.call(pid, 'filesystem.stat', {});
    await second;
    follower.kill('SIGINT');
    const { stdout: all } = await ended;
    expect(all.trimEnd().split('\n')).toHaveLength(2);
  });

  it('finds by agent, process, action, kind, outcome, call and time', async () => {
    const other = await gate.startAgent('other');
    const { call_id } = await gate.call(other, 'state.session.set', { key: 'k', value: 1 });
    expect((await search('--agent', 'other')).map(({ action }) => action)).toEqual(['state.session.set']);
    expect((await search('--pid', `${other}`)).map(({ action }) => action)).toEqual(['state.session.set']);
    expect((await search('--call', call_id)).map(({ call_id: id }) => id)).toEqual([call_id]);
    for (const { action } of await search('--action', 'filesystem.*')) expect(action).toMatch(/^filesystem\./);
    for (const { kind } of await search('--kind', 'operator')) expect(kind).toBe('operator');
    expect((await search('--outcome', 'pending')).map(({ action }) => action)).toEqual(['filesystem.delete']);
    expect(await search('--limit', '1', '--last', '1h')).toHaveLength(1);
    expect(await search('--last', '1ms')).toEqual([]);
    expect(await search('--workspace', 'default', '--agent', 'nobody')).toEqual([]);
    expect((await gate.warren(['audit', 'search', '--outcome', 'sure'])).code).toBe(2);
  });

  it('shows an entry whole, and the signed head', async () => {
    const [entry] = await search('--action', 'filesystem.write');
    const shown = JSON.parse((await gate.warren(['audit', 'show', `${entry?.seq}`])).stdout);
    expect(shown).toMatchObject({
      ...{ actor: { kind: 'process', pid, agent: 'builder' }, outcome: 'success', input: { path: '/workspace/a.txt' } },
      ...{
        decision: { tier: 'notify', policy: expect.any(String) },
        usage: { fs_w_bytes: 5 },
        input_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    const gone = await gate.warren(['audit', 'show', '99999']);
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('it does not exist')]);
    const head = await gate.warren(['audit', 'head']);
    expect(head.stdout).toMatch(/^\d+ entries, root [0-9a-f]{64}, signed \S+Z by key [0-9a-f]{16}\n-----BEGIN PUBLIC KEY-----/);
    expect(head.stdout).toContain(readFileSync(gate.path('audit', 'public-key.pem'), 'utf8'));
  });

  it('records what an operator does: who, with which parameters, and what came of it', async () => {
    const { code } = await gate.warren(['token', 'create', '--label', 'ci']);
    expect(code).toBe(0);
    const [created] = await search('--action', 'token.create');
    expect(created).toMatchObject({ kind: 'operator', actor: { kind: 'operator' }, outcome: 'success', input: { label: 'ci' } });
    await expect(gate.client.call('approval.reject', { approval_id: 'approval_nowhere' })).rejects.toMatchObject({ code: 'not_found' });
    const [failed] = await search('--action', 'approval.reject');
    expect(failed).toMatchObject({ outcome: 'failure', error: { type: 'not_found' } });
  });

  it('records no secrets', async () => {
    await gate.call(pid, 'process.run', {
      command: 'echo',
      args: [`--token=${SECRET}`],
      environment: { API_KEY: 'correct-horse-battery' },
    });
    await gate.call(pid, 'filesystem.write', { path: 'config', content: `Authorization: Bearer ${SECRET}\n` });
    await gate.call(pid, 'state.session.set', { key: 'login', value: { password: 'correct-horse-battery', user: 'ann' } });
    // Also where what is recorded is cut, in the middle of one.
    const long = `${'x '.repeat(505)}${SECRET}${' y'.repeat(40_000)}`;
    await gate.call(pid, 'filesystem.write', { path: 'long', content: long });
    const [set] = await search('--action', 'state.session.set', '--agent', 'builder');
    expect(set?.input).toMatchObject({ value: { user: 'ann' } });
    const bytes = Buffer.concat(readdirSync(gate.path('audit')).map((name) => readFileSync(gate.path('audit', name))));
    for (const secret of [SECRET.slice(0, 12), 'correct-horse-battery']) expect(bytes.includes(secret)).toBe(false);
  });

  it('hands entries out as JSON lines, CSV and OCSF', async () => {
    const jsonl = await gate.warren(['audit', 'export', '--agent', 'builder', '--limit', '3']);
    const entries = jsonl.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; action: string });
    expect(entries.map(({ action }) => action)).toEqual(['filesystem.write', 'filesystem.read', 'filesystem.read']);
    const file = join(gate.user.home, 'audit.csv');
    const csv = await gate.warren(['audit', 'export', '--format', 'csv', '--agent', 'builder', '--limit', '3', '--out', file]);
    expect(csv).toMatchObject({ code: 0, stdout: '' });
    const lines = readFileSync(file, 'utf8').trimEnd().split('\r\n');
    expect([lines.length, lines[0]?.split(',').slice(0, 3)]).toEqual([4, ['seq', 'at', 'kind']]);
    const taken = await gate.warren(['audit', 'export', '--out', file]);
    expect([taken.code, taken.stderr]).toEqual([
      1,
      `warren: cannot write the entries to ${file}: EEXIST\n  fix: name a file that is not there yet\n`,
    ]);
    const nowhere = await gate.outcome(['audit', 'export', '--out', join(gate.user.home, 'nowhere', 'audit.csv')]);
    expect(nowhere).toMatchObject({ code: 1, stderr: '', document: { error: { code: 'not_found', details: { errno: 'ENOENT' } } } });
    const ocsf = await gate.warren(['audit', 'export', '--format', 'ocsf', '--agent', 'builder', '--limit', '1']);
    expect(JSON.parse(ocsf.stdout)).toMatchObject({
      class_uid: 6003,
      category_uid: 6,
      api: { operation: 'filesystem.write' },
      status_id: 1,
    });
  });

  it('proves that an entry is there to whoever has the public key', async () => {
    const { public_key } = await gate.client.call('audit.head', {});
    type Wire = Omit<InclusionProof, 'head'> & { head: { size: number; root: string; at: number; key_id: string; signature: string } };
    const { head, ...proof } = JSON.parse((await gate.warren(['audit', 'prove', '1'])).stdout) as Wire;
    const { key_id, at, ...signed } = head;
    const inclusion = { ...proof, head: { ...signed, at: Math.round(at * 1_000), keyId: key_id } };
    expect(verifyInclusion(inclusion, public_key)).toBe(true);
    expect(verifyInclusion({ ...inclusion, seq: 2 }, public_key)).toBe(false);
    expect(verifyInclusion({ ...inclusion, hash: 'ab'.repeat(32) }, public_key)).toBe(false);
    expect((await gate.warren(['audit', 'prove', '99999'])).code).toBe(1);
    const consistency = await gate.warren(['audit', 'prove', '4', '--from', '2']);
    expect(JSON.parse(consistency.stdout)).toMatchObject({ from: { size: 2 }, to: { size: 4 } });
  });

  it('is verified without a daemon, and shows a flipped byte', async () => {
    const clean = await gate.warren(['audit', 'verify']);
    expect([clean.code, clean.stdout]).toEqual([0, expect.stringMatching(/^\d+ entries in 1 file are as they were written\n$/)]);
    const copy = await copyAudit('flipped');
    const segment = segmentOf(copy);
    const bytes = readFileSync(segment);
    const at = bytes.indexOf('filesystem.write');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(segment, bytes);
    const flipped = await gate.warren(['audit', 'verify', '--directory', copy]);
    expect([flipped.code, flipped.stdout]).toEqual([1, expect.stringMatching(/^modified: \S+\.log entry 3: /m)]);
    const report = await gate.outcome(['audit', 'verify', '--directory', copy]);
    expect(report).toMatchObject({
      code: 1,
      document: { problems: expect.arrayContaining([expect.objectContaining({ kind: 'modified', seq: 3 })]) },
    });
    // Signed by another key.
    const other = await GateDaemon.start();
    await using _ = other;
    await other.startAgent('x');
    const forged = await gate.warren([
      'audit',
      'verify',
      '--directory',
      other.path('audit'),
      '--key',
      gate.path('audit', 'public-key.pem'),
    ]);
    expect([forged.code, forged.stdout]).toEqual([1, expect.stringContaining('forged_head: ')]);
  });

  it('shows with a head that was kept that it was rolled back', async () => {
    const copy = await copyAudit('earlier');
    await gate.call(pid, 'filesystem.stat', { path: 'later' });
    const head = join(gate.user.home, 'head.json');
    writeFileSync(head, (await gate.warren(['audit', 'head', '--json'])).stdout);
    expect((await gate.warren(['audit', 'verify', '--anchor', head])).code).toBe(0);
    expect((await gate.warren(['audit', 'verify', '--directory', copy])).code).toBe(0);
    const back = await gate.warren(['audit', 'verify', '--directory', copy, '--anchor', head]);
    expect([back.code, back.stdout]).toEqual([1, expect.stringMatching(/^rolled_back: /m)]);
    // As anchors keep them: a line each, those of earlier versions too.
    const { head: kept } = JSON.parse(readFileSync(head, 'utf8'));
    const earlier = { size: kept.size, root: kept.root, at: Math.round(kept.at * 1_000), keyId: kept.key_id, signature: kept.signature };
    const lines = join(gate.user.home, 'heads.jsonl');
    writeFileSync(lines, `${JSON.stringify(earlier)}\n${JSON.stringify(kept)}\n`);
    const report = await gate.outcome(['audit', 'verify', '--anchor', lines]);
    expect(report).toMatchObject({ code: 0, document: { problems: [], head: { key_id: kept.key_id, at: expect.any(Number) } } });
    expect((await gate.warren(['audit', 'verify', '--directory', copy, '--anchor', lines])).code).toBe(1);
    const wrong = await gate.warren(['audit', 'verify', '--anchor', segmentOf(copy)]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('as a head: it is no JSON')]);
  });

  it('stops everything that has to be recorded when it is gone, says so, and goes on when it is back', async () => {
    const size = (await gate.client.call('audit.head', {})).head.size;
    renameSync(gate.path('audit'), gate.path('audit.away'));
    try {
      // Nothing is begun whose entry has no place.
      const first = await gate.warren(['call', 'state.session.set', 'key=gone', 'value:=1', '--as', 'builder']);
      expect([first.code, first.stdout, first.stderr]).toEqual([1, '', expect.stringContaining('cannot record in the audit')]);
      const write = await gate.warren(['call', 'filesystem.write', 'path=unrecorded', 'content=1', '--as', 'builder']);
      expect([write.code, write.stderr]).toEqual([1, expect.stringContaining('cannot record in the audit')]);
      const started = await gate.warren(['agent', 'start', 'unrecorded', '--tool', '*']);
      expect([started.code, started.stderr]).toEqual([1, expect.stringContaining('cannot record in the audit')]);
      const again = await gate.warren(['agent', 'start', 'unbegun', '--tool', '*']);
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('cannot record in the audit')]);
      for (const words of [['search'], ['tail'], ['show', '1'], ['export']]) {
        const read = await gate.warren(['audit', ...words]);
        expect([words, read.code, read.stderr]).toEqual([words, 1, expect.stringMatching(/^warren: cannot read the audit: /)]);
      }
    } finally {
      renameSync(gate.path('audit.away'), gate.path('audit'));
    }
    expect(await gate.call(pid, 'filesystem.stat', { path: 'unrecorded' })).toMatchObject({ state: 'done', output: { exists: false } });
    await gate.startAgent('after');
    const { entries } = await gate.client.call('audit.search', { cursor: size - 1 });
    // What was refused never was.
    expect(entries.map(({ action, input }) => [action, input?.['agent'] ?? null])).toEqual([
      ['filesystem.stat', null],
      ['agent.start', 'after'],
      ['agent.start', 'after'],
    ]);
    const { agents } = await gate.client.call('agent.list', {});
    for (const name of ['unrecorded', 'unbegun']) expect(agents.map(({ agent }) => agent)).not.toContain(name);
    expect((await gate.warren(['audit', 'verify'])).code).toBe(0);
  });

  it('is not begun anew in silence when it is gone: the start is refused, until somebody says why', async () => {
    await using own = await GateDaemon.start();
    await own.stop();
    for (const name of ['audit', 'audit.key']) renameSync(own.path(name), own.path(`${name}.lost`));
    const refused = await own.warren(['serve', '--no-tcp']);
    expect([refused.code, refused.stderr]).toEqual([
      3,
      expect.stringMatching(
        /^warren: cannot open the audit: there was one, and its files are not in \S+\n {2}fix: put it back, or .*: warren audit restart --confirm 'WHY'\n$/,
      ),
    ]);
    expect((await own.warren(['audit', 'restart'])).code).toBe(2);
    const restarted = await own.warren(['audit', 'restart', '--confirm', 'the disk was lost']);
    expect([restarted.code, restarted.stdout]).toEqual([0, expect.stringContaining('The next start begins a new audit')]);
    await own.start();
    const busy = await own.warren(['audit', 'restart', '--confirm', 'again']);
    expect([busy.code, busy.stderr]).toEqual([1, expect.stringContaining('warren stop')]);
    const { entries } = await own.client.call('audit.search', {});
    expect(entries[0]).toMatchObject({ action: 'audit.restart', details: { reason: 'the disk was lost' } });
  });

  it('refuses calls and changes while its disk is full, and goes on when there is room', async ({ skip }) => {
    skip(process.geteuid?.() !== 0, 'only root may mount small file systems');
    let mounted = '';
    try {
      await using own = await GateDaemon.start(['--no-tcp'], ({ state }) => {
        mounted = join(state, 'audit');
        mkdirSync(mounted, { recursive: true, mode: 0o700 });
        chmodSync(state, 0o700);
        if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'none', mounted]).status !== 0)
          throw new Error('Nothing can be mounted');
      });
      using _mount = { [Symbol.dispose]: () => void spawnSync('umount', ['-l', mounted]) }; // Before the directory goes.
      const agent = await own.startAgent('builder');
      const filler = join(mounted, 'filler');
      expect(spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096']).status).toBe(1);
      // What is left of the last page takes a few more entries.
      let code = '';
      for (let turn = 0; turn < 100 && code !== 'storage_full'; turn += 1) {
        await own.client.call('approval.reject', { approval_id: 'approval_nowhere' }).catch((error: unknown) => {
          code = isFault(error) ? error.code : 'unknown';
        });
      }
      expect(code).toBe('storage_full');
      // The first call is found out by the entry of its end, which is written later; nothing after it is begun.
      const write = (path: string) => ['call', 'filesystem.write', `path=${path}`, 'content=1', '--as', 'builder'];
      for (const words of [write('first'), write('never'), ['token', 'create']]) {
        const { code, stdout, stderr } = await own.warren(words);
        expect([words[0], code, stdout]).toEqual([words[0], words[0] === 'token' ? 3 : 1, '']);
        expect(stderr).toContain('the disk is full');
      }
      rmSync(filler);
      expect(await own.call(agent, 'filesystem.stat', { path: 'never' })).toMatchObject({ state: 'done', output: { exists: false } });
      expect((await own.client.call('token.list', {})).tokens).toEqual([]);
      expect((await own.warren(['audit', 'verify'])).code).toBe(0);
    } finally {
      spawnSync('umount', ['-l', mounted]);
    }
  });
});
