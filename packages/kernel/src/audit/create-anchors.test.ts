import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import type { TreeHead } from './audit.ts';
import { type AnchorTarget, createAnchors } from './create-anchors.ts';
import { readHeads } from './head-document.ts';
import { openTestAudit, testEntry } from './test-support/open-test-audit.ts';
import { readLogFiles } from './test-support/tamper.ts';
import { verifyAudit } from './verify-audit.ts';

function timers() {
  const waiting: { ms: number; action: () => void }[] = [];
  return {
    waiting,
    later: (ms: number, action: () => void) => {
      const one = { ms, action };
      waiting.push(one);
      return () => void waiting.splice(waiting.indexOf(one), waiting.includes(one) ? 1 : 0);
    },
  };
}

describe('anchoring', () => {
  it('to a file proves later that the whole log was rolled back', async () => {
    await using on = await openTestAudit();
    await using elsewhere = await TemporaryDirectory.create();
    const path = elsewhere.join('heads.jsonl');
    await using anchors = createAnchors({ audit: on.audit, targets: [{ kind: 'file', path }], everyMs: 60_000, clock: on.clock });
    await on.audit.append(testEntry(0));
    const old = await readLogFiles(on.directory);
    await on.audit.append(testEntry(1));
    expect(await anchors.anchor()).toMatchObject([{ kind: 'file', anchored: on.audit.head(), behind: 0, failures: 0 }]);
    await on.audit.append(testEntry(2));
    expect(anchors.status()).toMatchObject([{ behind: 1 }]);
    const heads = readHeads(readFileSync(path, 'utf8'), path);
    expect((await verifyAudit({ ...on, anchors: heads })).problems).toEqual([]);
    await on.audit.close();
    for (const [name, bytes] of old) writeFileSync(join(on.directory, name), bytes);
    expect((await verifyAudit(on)).problems).toEqual([]); // Nothing in the files themselves can tell.
    expect((await verifyAudit({ ...on, anchors: heads })).problems).toMatchObject([{ kind: 'rolled_back' }]);
  });

  it('tries again later and later where it fails, says so, and does not keep others from theirs', async () => {
    await using on = await openTestAudit();
    const time = timers();
    const posted: string[] = [];
    let isUp = false;
    const targets: readonly AnchorTarget[] = [
      {
        kind: 'webhook',
        url: 'https://user:password@example.com/hook?key=secret',
        post: async (_, body) => {
          if (!isUp) throw new Error('it is down');
          posted.push(body);
        },
      },
      { kind: 'file', path: join(on.directory, '..', 'heads.jsonl') },
    ];
    await using anchors = createAnchors({ audit: on.audit, targets, everyMs: 60_000, clock: on.clock, later: time.later });
    await on.audit.append(testEntry(0));
    const waits: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await anchors.anchor({ isForced: turn === 0 });
      const next = time.waiting[0];
      expect(time.waiting.length).toBe(1);
      waits.push(next?.ms ?? 0);
      on.clock.advance(next?.ms ?? 0);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
    expect(anchors.status()).toMatchObject([
      { target: 'https://example.com', failures: 5, lastError: 'it is down' },
      { failures: 0, behind: 0 },
    ]);
    expect(JSON.stringify(anchors.status())).not.toContain('password');
    isUp = true;
    await anchors.anchor({ isForced: false });
    expect(anchors.status()).toMatchObject([{ failures: 0, lastError: undefined, behind: 0 }, {}]);
    expect(posted.flatMap((body) => readHeads(body, 'webhook'))).toEqual([on.audit.head()]);
  });

  it('to a repository adds, commits and pushes with nothing of the repository run', async () => {
    await using on = await openTestAudit();
    await using directory = await TemporaryDirectory.create();
    const ran: (readonly string[])[] = [];
    const target: AnchorTarget = { kind: 'git', directory: directory.path, run: async (args) => void ran.push(args) };
    await using anchors = createAnchors({ audit: on.audit, targets: [target], everyMs: 60_000, clock: on.clock });
    await on.audit.append(testEntry(0));
    await anchors.anchor();
    await anchors.anchor(); // Nothing new.
    expect(ran.map((args) => args.find((each) => ['add', 'commit', 'push'].includes(each)))).toEqual(['add', 'commit', 'push']);
    expect(ran[1]).toContain('core.hooksPath=/dev/null');
    expect(readHeads(readFileSync(directory.join('heads.jsonl'), 'utf8'), 'git')).toEqual([on.audit.head()]);
  });

  it('ends with closing, also while a target never answers, and appends go on meanwhile', async () => {
    await using on = await openTestAudit();
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    const post = async (): Promise<void> => {
      start();
      await new Promise(() => {});
    };
    const anchors = createAnchors({
      audit: on.audit,
      targets: [{ kind: 'webhook', url: 'http://x/', post }],
      everyMs: 60_000,
      clock: on.clock,
    });
    await on.audit.append(testEntry(0));
    const attempt = anchors.anchor();
    await started;
    expect((await on.audit.append(testEntry(1))).seq).toBe(1);
    await anchors.close();
    await anchors.close();
    expect(await attempt).toMatchObject([{ failures: 1, anchored: undefined }]);
    rmSync(join(on.directory, '..', 'heads.jsonl'), { force: true });
  });

  it('refuses to be asked for too often or for too many', () => {
    const parts = { audit: { head: () => ({}) as TreeHead }, targets: [], everyMs: 1, clock: { now: () => 0 } }; // Never read.
    expect(() => createAnchors(parts)).toThrow('Cannot anchor every 1 ms');
    const many = Array.from({ length: 17 }, () => ({ kind: 'file', path: '/x' }) as const);
    expect(() => createAnchors({ ...parts, everyMs: 1_000, targets: many })).toThrow('17 targets');
  });
});
