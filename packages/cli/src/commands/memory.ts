/** `warren memory`: what agents remember, through the daemon. */
import { Fault } from '@warren/protocol';
import type { FoundMemory, MemoryRecord } from '@warren/protocol/contract';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeLines, safeText } from '../internal/safe-text.ts';
import { formatTable } from '../internal/table.ts';
import { withWorkspaceAdvice } from '../internal/workspace-advice.ts';
import type { MemoryListFlags, MemorySearchFlags, MemoryStoreFlags } from '../program/memory-commands.ts';
import type { WorkspaceFlags } from '../program/state-options.ts';

const TEXT_CHARACTERS_MAX = 1_000_000;
const SHOWN_CHARACTERS = 80;
const PAGE = 100;

type Flags = WorkspaceFlags & { readonly tag?: readonly string[]; readonly source?: string };

export async function memoryStore(text: string, flags: MemoryStoreFlags, host: Host): Promise<number> {
  const given = text === '-' ? await readText(host) : text;
  await using client = await openWorkspaceClient(flags, host, 'remember');
  const { expires, pin } = flags;
  const stored = await client
    .call('memory.store', {
      ...{ text: given, ...filterOf(flags) },
      ...(expires !== undefined && { expires_at: (host.now() + expires) / 1_000 }),
      ...(pin === true && { pinned: true }),
    })
    .catch(advised(flags));
  if (flags.json === true) await host.stdout.write(`${safeJson(stored, 2)}\n`);
  else await host.stdout.write(`${safeText(stored.memory_id)}\n`);
  if (flags.json !== true && stored.duplicate) await host.stderr.write('warren: it was there already\n');
  return 0;
}

/** Returns 1 when nothing is found. */
export async function memorySearch(words: readonly string[], flags: MemorySearchFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'search');
  const query = { query: words.join(' '), limit: flags.limit, ...filterOf(flags) };
  const found = await client.call('memory.search', query).catch(advised(flags));
  if (flags.json === true) await host.stdout.write(`${safeJson(found, 2)}\n`);
  else for (const each of found.memories) await host.stdout.write(`${sayFound(each, flags.explain === true)}\n`);
  if (found.memories.length === 0) await host.stderr.write('warren: nothing is found\n');
  return found.memories.length === 0 ? 1 : 0;
}

export async function memoryList(flags: MemoryListFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'list memories');
  const found = await client.call('memory.list', { limit: flags.limit, ...filterOf(flags) }).catch(advised(flags));
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(found, 2)}\n`);
    return 0;
  }
  const columns = [{ title: 'ID' }, { title: 'CREATED' }, { title: 'SOURCE' }, { title: 'TAGS' }, { title: 'TEXT' }] as const;
  const rows = found.memories.map((memory) => [
    safeText(memory.memory_id),
    timeWord(memory.created_at),
    safeText(memory.source),
    safeText(memory.tags.join(' ')),
    beginningOf(memory.text),
  ]);
  if (rows.length > 0) await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  else await host.stderr.write('warren: nothing is remembered\n');
  if (rows.length < found.count) await host.stderr.write(`warren: ${rows.length} of ${found.count}\n`);
  return 0;
}

export async function memoryShow(id: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'show a memory');
  const memory = await client.call('memory.get', { memory_id: id }).catch(advised(flags));
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(memory, 2)}\n`);
    return 0;
  }
  await host.stderr.write(`${aboutOf(memory)}\n`);
  await host.stdout.write(`${safeLines(memory.text)}\n`);
  return 0;
}

/** Returns 1 when one of them was not there. */
export async function memoryForget(ids: readonly string[], flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'forget');
  const forgotten: string[] = [];
  const missing: string[] = [];
  for (const id of ids) {
    const answer = await client.call('memory.forget', { memory_id: id }).catch(advised(flags));
    (answer.forgotten ? forgotten : missing).push(id);
  }
  if (flags.json === true) await host.stdout.write(`${safeJson({ forgotten, missing }, 2)}\n`);
  else for (const id of missing) await host.stderr.write(`warren: cannot forget "${safeText(id)}": there is no such memory\n`);
  return missing.length === 0 ? 0 : 1;
}

export async function memoryExport(flags: Flags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'export memories');
  for (let before: string | undefined; ; ) {
    const page = { limit: PAGE, ...filterOf(flags), ...(before !== undefined && { before }) };
    const { memories } = await client.call('memory.list', page).catch(advised(flags));
    for (const memory of memories) await host.stdout.write(`${safeJson(memory)}\n`);
    before = memories.at(-1)?.memory_id;
    if (before === undefined) return 0;
  }
}

async function readText(host: Host): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of host.stdin.read()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > TEXT_CHARACTERS_MAX)
      throw new Fault('too_large', `Cannot remember it: it has more than ${TEXT_CHARACTERS_MAX} characters`);
  }
  return text + decoder.decode();
}

function filterOf({ tag, source }: Flags) {
  return { ...(tag !== undefined && { tags: [...tag] }), ...(source !== undefined && { source }) };
}

function advised(flags: WorkspaceFlags) {
  return (error: unknown): never => {
    throw withWorkspaceAdvice(error, flags, 'memory list');
  };
}

function sayFound({ memory, score, snippet, why }: FoundMemory, isExplained: boolean): string {
  const head = `${score.toFixed(3)}  ${safeText(memory.memory_id)}  ${safeText(memory.source)}`;
  const figure = (value: number | null): string => (value === null ? 'none' : value.toFixed(3));
  const reason = `       text ${figure(why.text)} (${safeText(why.terms.join(' '))}), vector ${figure(why.vector)}, × age ${why.age.toFixed(3)} × importance ${why.importance.toFixed(2)}`;
  return [head, ...(isExplained ? [reason] : []), `       ${beginningOf(snippet)}`].join('\n');
}

function aboutOf({ memory_id, source, tags, labels, created_at, expires_at, pinned }: MemoryRecord): string {
  const parts = [
    ...[safeText(memory_id), `from ${safeText(source)}`, timeWord(created_at)],
    ...(tags.length === 0 ? [] : [`tags ${safeText(tags.join(' '))}`]),
    ...(labels.length === 0 ? [] : [`labels ${safeText(labels.join(' '))}`]),
    ...(pinned ? ['pinned'] : expires_at === null ? [] : [`until ${timeWord(expires_at)}`]),
  ];
  return parts.join(', ');
}

function beginningOf(text: string): string {
  const line = safeText(text.replace(/\s+/g, ' ').trim());
  return line.length <= SHOWN_CHARACTERS ? line : `${line.slice(0, SHOWN_CHARACTERS).toWellFormed()}…`;
}

function timeWord(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
}
