/** `warren audit`: shows, verifies, proves and hands out what happened. */
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Client } from '@warren/client';
import { exportEntries, type RecordedEntry, type RuleRef, readHeads, toHeadDocument, verifyAudit } from '@warren/kernel';
import { Fault, type FaultCode, isFault } from '@warren/protocol';
import type { AuditRecord, ParamsInput, RuleReference } from '@warren/protocol/contract';
import { count } from '../internal/count.ts';
import { openClient, openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { ProgressLine } from '../internal/progress-line.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { statePath } from '../internal/state-path.ts';
import { isoSecond } from '../internal/time.ts';
import { untilSignal } from '../internal/until-signal.ts';
import type { AuditExportFlags, AuditFilterFlags, AuditTailFlags, AuditVerifyFlags } from '../program/audit-commands.ts';
import type { StateFlags } from '../program/state-options.ts';

const PAGE = 1_000;
const WAIT_MS = 30_000;

export async function auditTail(flags: AuditTailFlags, host: Host): Promise<number> {
  return await untilSignal(host, async (signal) => {
    await using client = await open(flags, host);
    const filter = filterOf(flags, host);
    const { head } = await client.call('audit.head', {});
    const { entries } = await client.call('audit.search', { ...filter, newest: true, limit: Math.min(flags.limit, PAGE) });
    for (const entry of entries.toReversed()) await print(entry, flags, host);
    if (flags.follow !== true) return 0;
    for (let cursor = Math.max(head.size - 1, entries[0]?.seq ?? -1); ; ) {
      const found = await client.call('audit.search', { ...filter, cursor, wait_ms: WAIT_MS }, { signal });
      for (const entry of found.entries) await print(entry, flags, host);
      cursor = found.entries.at(-1)?.seq ?? cursor;
    }
  });
}

export async function auditSearch(flags: AuditFilterFlags, host: Host): Promise<number> {
  await using client = await open(flags, host);
  const entries: AuditRecord[] = [];
  for await (const entry of pages(client, { ...filterOf(flags, host), newest: true }, flags.limit)) {
    if (flags.json === true) entries.push(entry);
    else await print(entry, flags, host);
  }
  return flags.json === true ? await printJson(host, { entries }) : 0;
}

export async function auditShow(seq: number, flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'show an entry');
  return await printJson(host, await client.call('audit.get', { seq }));
}

export async function auditHead(flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'show the head');
  const found = await client.call('audit.head', {});
  if (flags.json === true) return await printJson(host, found);
  const { size, root, at, key_id } = found.head;
  await host.stdout.write(`${countEntries(size)}, root ${root}, signed ${isoSecond(at)} by key ${key_id}\n`);
  await host.stdout.write(found.public_key);
  return 0;
}

export async function auditVerify(flags: AuditVerifyFlags, host: Host): Promise<number> {
  return await interruptible(host, async (signal) => {
    const directory = flags.directory === undefined ? join(statePath(host, flags.state), 'audit') : resolve(host.cwd(), flags.directory);
    const publicKey = await readFile(flags.key === undefined ? join(directory, 'public-key.pem') : resolve(host.cwd(), flags.key), 'utf8');
    const kept = await Promise.all(
      (flags.anchor ?? []).map(async (file) => readHeads(await readFile(resolve(host.cwd(), file), 'utf8'), file)),
    );
    const anchors = kept.flat();
    const total = anchors.reduce((most, { size }) => Math.max(most, size), 1);
    using progress = new ProgressLine(host, 'verifying');
    const report = await verifyAudit({
      directory,
      publicKey,
      anchors,
      signal,
      onProgress: (done) => progress.show(done / Math.max(1, total)),
    });
    progress[Symbol.dispose]();
    const { entries, purged, files, problems } = report;
    if (flags.json === true) await printJson(host, { ...report, head: report.head && toHeadDocument(report.head) });
    else {
      for (const { kind, file, seq, detail } of problems)
        await host.stdout.write(`${kind}: ${safeText(`${file}${seq === undefined ? '' : ` entry ${seq}`}: ${detail}`)}\n`);
      const rest = purged === 0 ? '' : `, of ${purged} more only the hashes`;
      if (problems.length === 0)
        await host.stdout.write(`${countEntries(entries)} in ${count(files, 'file')} are as they were written${rest}\n`);
    }
    return problems.length === 0 ? 0 : 1;
  });
}

export async function auditProve(seq: number, flags: StateFlags & { readonly from?: number }, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'prove');
  if (flags.from !== undefined) return await printJson(host, await client.call('audit.prove_consistency', { from: flags.from, to: seq }));
  return await printJson(host, await client.call('audit.prove_inclusion', { seq }));
}

export async function auditExport(flags: AuditExportFlags, host: Host): Promise<number> {
  return await interruptible(host, async (signal) => {
    await using client = await open(flags, host);
    const texts = exportEntries(recorded(pages(client, filterOf(flags, host), flags.limit, signal)), flags.format);
    if (flags.out === undefined) {
      for await (const text of texts) await host.stdout.write(text);
      return 0;
    }
    const path = resolve(host.cwd(), flags.out);
    // Every error of it ends the pipeline, also one that comes before anything is written.
    await pipeline(texts, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal }).catch((error: unknown) => {
      throw cannotWrite(path, error);
    });
    return 0;
  });
}

/** What the disk says of the file; anything else is not about it. */
function cannotWrite(path: string, error: unknown): unknown {
  const errno = error instanceof Error && !isFault(error) && 'code' in error ? error.code : undefined;
  const code = WRITE_FAULTS[String(errno)];
  if (code === undefined) return error;
  const details = { path, errno, fix: errno === 'EEXIST' ? 'name a file that is not there yet' : 'name another file with --out' };
  return new Fault(code, `Cannot write the entries to ${path}: ${errno}`, { cause: error, details });
}

const WRITE_FAULTS: Readonly<Record<string, FaultCode>> = {
  EEXIST: 'already_exists',
  ...{ ENOENT: 'not_found', ENOTDIR: 'not_found', EISDIR: 'invalid_argument' },
  ...{ EACCES: 'permission_denied', EPERM: 'permission_denied', EROFS: 'permission_denied' },
  ...{ ENOSPC: 'storage_full', EDQUOT: 'storage_full' },
};

function countEntries(size: number): string {
  return `${size} ${size === 1 ? 'entry' : 'entries'}`;
}

/** An operator who names no workspace sees all of them. */
async function open(flags: AuditFilterFlags, host: Host): Promise<Client> {
  const { workspace } = flags;
  return workspace === undefined
    ? await openClient(flags, host, 'read the audit')
    : await openWorkspaceClient({ ...flags, workspace }, host, 'read the audit');
}

type Filter = ParamsInput<'audit.search'>;

function filterOf({ agent, pid, action, kind, outcome, call, last }: AuditFilterFlags, host: Host): Filter {
  return {
    ...(agent !== undefined && { agent }),
    ...(pid !== undefined && { pid }),
    ...(action !== undefined && { action }),
    ...(kind !== undefined && { kind }),
    ...(outcome !== undefined && { outcome }),
    ...(call !== undefined && { call_id: call }),
    ...(last !== undefined && { from: (host.now() - last) / 1_000 }),
  };
}

async function* pages(client: Client, filter: Filter, most: number, signal?: AbortSignal): AsyncGenerator<AuditRecord> {
  let left = most;
  for (let cursor: number | undefined; left > 0; ) {
    const page = { ...filter, limit: Math.min(PAGE, left), ...(cursor !== undefined && { cursor }) };
    const { entries, next } = await client.call('audit.search', page, { signal });
    yield* entries;
    left -= entries.length;
    if (next === null || entries.length === 0) return;
    cursor = next;
  }
}

async function print(entry: AuditRecord, { json }: { readonly json?: true }, host: Host): Promise<void> {
  if (json === true) return await host.stdout.write(`${safeJson(entry)}\n`);
  const { seq, at, actor, action, outcome, decision, error, workspace, duration_ms } = entry;
  const who = actor.kind === 'process' ? `${actor.agent || 'process'}#${actor.pid}` : (actor.name ?? actor.kind);
  const parts = [
    `[${seq}]`,
    isoSecond(at),
    safeText(workspace),
    safeText(who),
    safeText(action),
    outcome,
    decision?.tier ?? '',
    error === null ? '' : safeText(error.type),
  ];
  const took = duration_ms === null ? '' : `${Math.round(duration_ms)} ms`;
  await host.stdout.write(`${[...parts, took].filter((part) => part !== '').join(' ')}\n`);
}

/** As exports know them. */
async function* recorded(entries: AsyncIterable<AuditRecord>): AsyncGenerator<RecordedEntry> {
  for await (const {
    at,
    call_id,
    approval_id,
    input,
    input_hash,
    decision,
    error,
    duration_ms,
    usage,
    details,
    actor,
    ...same
  } of entries) {
    yield {
      ...same,
      at: at * 1_000,
      actor: (actor.kind === 'process'
        ? { kind: 'process', pid: actor.pid ?? 0, agent: actor.agent ?? '' }
        : actor.kind === 'system'
          ? { kind: 'system' }
          : { kind: actor.kind, name: actor.name ?? '' }) as RecordedEntry['actor'], // One of three shapes, as above.
      ...(call_id !== null && { callId: call_id }),
      ...(approval_id !== null && { approvalId: approval_id }),
      ...(input !== null && { input }),
      ...(input_hash !== null && { inputHash: input_hash }),
      ...(decision !== null && {
        decision: {
          tier: decision.tier,
          ...(decision.rule !== null && {
            rule: toRuleRef(decision.rule),
          }),
          ...(decision.policy !== null && { policy: decision.policy }),
        },
      }),
      ...(error !== null && { error }),
      ...(duration_ms !== null && { durationMs: duration_ms }),
      ...(usage !== null && { usage }),
      ...(details !== null && { details }),
    };
  }
}

function toRuleRef({ layer, file, line, rule, reason }: RuleReference): RuleRef {
  return { layer: layer as RuleRef['layer'], file: file ?? '', line: line ?? 0, rule, reason: reason ?? undefined }; // The daemon's, one of these.
}

async function printJson(host: Host, value: unknown): Promise<number> {
  await host.stdout.write(`${safeJson(value, 2)}\n`);
  return 0;
}
