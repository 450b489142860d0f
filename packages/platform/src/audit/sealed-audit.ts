/**
 * The audit as Warren writes and reads it: what a call was about (arguments, messages, why a rule says what it says) stands in its entry sealed under a key of its workspace. Who did what when, what was decided and the hash of the
 * exact arguments stand open. So entries are never changed, every proof holds for ever, and what a tenant said can be destroyed all the same: with the key. What happens in the first workspace, which is never deleted, is not sealed.
 */
import type { KeyObject } from 'node:crypto';
import type { Audit, AuditEntry, RecordedEntry } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import { seal, unseal } from '../vault/seal.ts';
import type { ContentKeys } from './content-keys.ts';

const PREFIX = 'warren-sealed-1:';

/** What is sealed of an entry. */
type Content = {
  readonly input?: JsonObject | undefined;
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
  readonly details?: JsonObject | undefined;
};

/** Closing it closes the audit. */
export function sealAudit(audit: Audit, keys: Pick<ContentKeys, 'need' | 'find'>): Audit {
  const open = async (entry: RecordedEntry): Promise<RecordedEntry> => {
    const sealed = sealedOf(entry);
    if (sealed === undefined) return entry;
    const key = await keys.find(entry.workspace as WorkspaceId); // It was one when it was sealed.
    const content = key === undefined ? undefined : openContent(key, sealed, entry);
    return withContent(entry, content ?? { details: { content: 'destroyed' } });
  };
  return {
    ...{ publicKey: audit.publicKey, check: () => audit.check(), head: () => audit.head() },
    ...{ proveInclusion: audit.proveInclusion.bind(audit), proveConsistency: audit.proveConsistency.bind(audit) },
    purge: (before) => audit.purge(before),
    close: () => audit.close(),
    [Symbol.asyncDispose]: () => audit.close(),
    async append(entry) {
      const workspace = sealedWorkspace(entry);
      const key = workspace === undefined ? undefined : await keys.need(workspace);
      return await audit.append(key === undefined ? entry : sealEntry(key, entry));
    },
    async search(query) {
      const { entries, next } = await audit.search(query);
      return { entries: await Promise.all(entries.map(open)), next };
    },
    get: async (seq) => await open(await audit.get(seq)),
    async *follow(query, signal) {
      for await (const entry of audit.follow(query, signal)) yield await open(entry);
    },
  };
}

/** Undefined: there is nothing to seal, or nothing it could be sealed for. */
function sealedWorkspace({ workspace, input, error, details, decision }: AuditEntry): WorkspaceId | undefined {
  if (workspace === DEFAULT_WORKSPACE) return undefined;
  if (input === undefined && error === undefined && details === undefined && decision?.rule?.reason === undefined) return undefined;
  try {
    return parseWorkspaceId(workspace);
  } catch {
    return undefined; // None that could have a directory.
  }
}

function sealEntry(key: KeyObject, entry: AuditEntry): AuditEntry {
  const { input, error, details, decision } = entry;
  const content: Content = { input, message: error?.message, reason: decision?.rule?.reason, details };
  const sealed = seal(key, Buffer.from(JSON.stringify(content)), about(entry));
  return withContent(entry, { input: { sealed: `${PREFIX}${sealed.toString('base64')}` }, message: '' });
}

function sealedOf({ input }: AuditEntry): Buffer | undefined {
  const sealed = input?.['sealed'];
  return typeof sealed === 'string' && sealed.startsWith(PREFIX) ? Buffer.from(sealed.slice(PREFIX.length), 'base64') : undefined;
}

/** Undefined: it is sealed with another key, as of an earlier workspace of this name. */
function openContent(key: KeyObject, sealed: Buffer, entry: AuditEntry): Content | undefined {
  const plain = unseal(key, sealed, about(entry));
  return plain === undefined ? undefined : (JSON.parse(plain.toString()) as Content); // It was sealed as one.
}

function withContent<Entry extends AuditEntry>(entry: Entry, { input, message, reason, details }: Content): Entry {
  const { error, decision } = entry;
  return {
    ...entry,
    ...{ input, details },
    error: error === undefined ? undefined : { type: error.type, message: message ?? '' },
    decision: decision?.rule === undefined ? decision : { ...decision, rule: { ...decision.rule, reason } },
  };
}

function about({ workspace, kind, action, outcome, callId = '' }: AuditEntry): readonly string[] {
  return ['warren audit content', workspace, kind, action, outcome, callId];
}
