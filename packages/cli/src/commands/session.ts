/** `warren session`: conversations of agents, through the daemon. */
import type { Client } from '@warren/client';
import { Fault } from '@warren/protocol';
import type { TranscriptEntry } from '@warren/protocol/contract';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeLines, safeText } from '../internal/safe-text.ts';
import { formatTable } from '../internal/table.ts';
import { withWorkspaceAdvice } from '../internal/workspace-advice.ts';
import type {
  SessionBranchFlags,
  SessionCompactFlags,
  SessionExportFlags,
  SessionListFlags,
  SessionShowFlags,
} from '../program/session-commands.ts';
import type { WorkspaceFlags } from '../program/state-options.ts';

const SUMMARY_CHARACTERS_MAX = 1_000_000;
const SHOWN_CHARACTERS = 100;
const PAGE = 500;

export async function sessionList(flags: SessionListFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'list sessions');
  const found = await client.call('transcript.list', { limit: flags.limit }).catch(advised(flags));
  if (flags.json === true) return await printJson(host, found);
  const columns = [{ title: 'SESSION' }, { title: 'WRITTEN' }, { title: 'AGENT' }, { title: 'TITLE' }] as const;
  const rows = found.transcripts.map(({ session, updated_at, agent, title }) => [
    ...[safeText(session), timeWord(updated_at), safeText(agent ?? '')],
    safeText(title ?? ''),
  ]);
  if (rows.length > 0) await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  else await host.stderr.write('warren: there are no sessions\n');
  return 0;
}

export async function sessionShow(id: string, flags: SessionShowFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'show a session');
  if (flags.json === true) return await printWhole(client, id, flags, host);
  for await (const page of pages(client, id, flags.view, flags)) {
    for (const { line, reason } of page.damage) await host.stderr.write(`warren: line ${line} cannot be read: ${safeText(reason)}\n`);
    for (const entry of page.entries) await host.stdout.write(`${headOf(entry)}\n${indented(entry.text)}\n`);
  }
  return 0;
}

/** Returns 1 when nothing is found. */
export async function sessionSearch(words: readonly string[], flags: SessionListFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'search sessions');
  const found = await client.call('transcript.search', { query: words.join(' '), limit: flags.limit }).catch(advised(flags));
  if (flags.json === true) await printJson(host, found);
  else
    for (const { session, entry_id, at, snippet } of found.matches)
      await host.stdout.write(`${safeText(session)}  ${safeText(entry_id)}  ${timeWord(at)}\n  ${beginningOf(snippet)}\n`);
  if (found.matches.length === 0) await host.stderr.write('warren: nothing is found\n');
  return found.matches.length === 0 ? 1 : 0;
}

export async function sessionBranch(id: string, entry: string, flags: SessionBranchFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'branch a session');
  const { as } = flags;
  const branched = await client
    .call('transcript.branch', { session: id, entry_id: entry, ...(as !== undefined && { as }) })
    .catch(advised(flags));
  if (flags.json === true) return await printJson(host, branched);
  await host.stdout.write(`${safeText(branched.session)} goes on from ${safeText(branched.tip_id)}\n`);
  return 0;
}

export async function sessionCompact(id: string, summary: string, flags: SessionCompactFlags, host: Host): Promise<number> {
  const text = summary === '-' ? await readText(host) : summary;
  await using client = await openWorkspaceClient(flags, host, 'compact a session');
  const { first } = flags;
  const compacted = await client
    .call('transcript.compact', { session: id, summary: text, ...(first !== undefined && { first_id: first }) })
    .catch(advised(flags));
  if (flags.json === true) return await printJson(host, compacted);
  await host.stdout.write(`${safeText(compacted.entry_id)}\n`);
  return 0;
}

export async function sessionExport(id: string, flags: SessionExportFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'export a session');
  const { format } = flags;
  if (format === 'json') return await printWhole(client, id, { ...flags, view: 'all' }, host);
  const asked = { session: id, format: format === 'md' ? 'markdown' : format } as const;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const piece: Awaited<ReturnType<typeof getPiece>> = await getPiece(client, cursor === '' ? asked : { ...asked, cursor }).catch(
      advised(flags),
    );
    // A document is written as it is; on a terminal nothing in it may steer that.
    await host.stdout.write(host.stdout.isTerminal ? safeLines(piece.text) : piece.text);
    cursor = piece.next;
  }
  return 0;
}

/** Returns 1 when one of them was not there. */
export async function sessionDelete(ids: readonly string[], flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'delete sessions');
  const deleted: string[] = [];
  const missing: string[] = [];
  for (const id of ids) {
    const answer = await client.call('transcript.delete', { session: id }).catch(advised(flags));
    (answer.deleted ? deleted : missing).push(id);
  }
  if (flags.json === true) await printJson(host, { deleted, missing });
  else for (const id of missing) await host.stderr.write(`warren: cannot delete "${safeText(id)}": there is no such session\n`);
  return missing.length === 0 ? 0 : 1;
}

async function* pages(client: Client, session: string, view: SessionShowFlags['view'], flags: WorkspaceFlags) {
  for (let offset: number | null = 0; offset !== null; ) {
    const page: Awaited<ReturnType<typeof getPage>> = await getPage(client, { session, view, offset, limit: PAGE }).catch(advised(flags));
    yield page;
    offset = page.next;
  }
}

type Asked = { readonly session: string; readonly view: SessionShowFlags['view']; readonly offset: number; readonly limit: number };

async function getPage(client: Client, asked: Asked) {
  return await client.call('transcript.get', asked);
}

type Wanted = { readonly session: string; readonly format: 'markdown' | 'html' | 'jsonl'; readonly cursor?: string };

async function getPiece(client: Client, asked: Wanted) {
  return await client.call('transcript.export', asked);
}

/** One JSON document, written as it comes: it may be larger than what can be held. */
async function printWhole(client: Client, id: string, flags: SessionShowFlags, host: Host): Promise<number> {
  let separator = '';
  for await (const { session, tip_id, entries } of pages(client, id, flags.view, flags)) {
    if (separator === '')
      await host.stdout.write(`{\n  "session": ${safeJson(session)},\n  "tip_id": ${safeJson(tip_id)},\n  "entries": [`);
    for (const entry of entries) {
      await host.stdout.write(`${separator}\n    ${safeJson(entry, 2).replaceAll('\n', '\n    ')}`);
      separator = ',';
    }
    separator ||= ' ';
  }
  await host.stdout.write(separator === ',' ? '\n  ]\n}\n' : ']\n}\n');
  return 0;
}

function headOf({ entry_id, type, role, at }: TranscriptEntry): string {
  return `${role ?? type}  ${timeWord(at)}  ${safeText(entry_id)}`;
}

function indented(text: string): string {
  return safeLines(text)
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}

function beginningOf(text: string): string {
  const line = safeText(text.replace(/\s+/g, ' ').trim());
  return line.length <= SHOWN_CHARACTERS ? line : `${line.slice(0, SHOWN_CHARACTERS).toWellFormed()}…`;
}

function timeWord(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
}

async function readText(host: Host): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of host.stdin.read()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > SUMMARY_CHARACTERS_MAX)
      throw new Fault('too_large', `Cannot use it as a summary: it has more than ${SUMMARY_CHARACTERS_MAX} characters`);
  }
  return text + decoder.decode();
}

function advised(flags: WorkspaceFlags) {
  return (error: unknown): never => {
    throw withWorkspaceAdvice(error, flags, 'session list');
  };
}

async function printJson(host: Host, value: unknown): Promise<number> {
  await host.stdout.write(`${safeJson(value, 2)}\n`);
  return 0;
}
