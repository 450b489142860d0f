import { type AuditQuery, toHeadDocument } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { Fault } from '@warren/protocol';
import type { Call, HandlersOf } from './handler.ts';
import { toAuditEntry } from './record/audit.ts';
import { toMsIfGiven } from './time.ts';

export function createAuditHandlers(platform: () => Platform): HandlersOf<'audit.'> {
  return {
    async 'audit.search'({ wait_ms = 0, call_id, approval_id, from, to, ...given }, call) {
      const { audit } = platform();
      const query: AuditQuery = {
        ...given,
        callId: call_id,
        approvalId: approval_id,
        from: toMsIfGiven(from),
        to: toMsIfGiven(to),
        workspace: scopeOf(call),
      };
      const found = await audit.search(query);
      const { entries, next } =
        found.entries.length > 0 || wait_ms === 0 || given.newest === true ? found : await firstOf(audit, query, wait_ms, call.waiting());
      return { entries: entries.map(toAuditEntry), next: next ?? null };
    },

    async 'audit.get'({ seq }, call) {
      return toAuditEntry(await visible(platform(), seq, call));
    },

    async 'audit.head'() {
      const { audit } = platform();
      return { head: toHeadDocument(audit.head()), public_key: audit.publicKey };
    },

    async 'audit.prove_inclusion'({ seq, size }, call) {
      await visible(platform(), seq, call);
      const { head, ...proof } = await platform().audit.proveInclusion(seq, size);
      return { ...proof, head: toHeadDocument(head) };
    },

    async 'audit.prove_consistency'({ from, to }) {
      const proof = await platform().audit.proveConsistency(from, to);
      return { from: toHeadDocument(proof.from), to: toHeadDocument(proof.to), path: proof.path };
    },
  };
}

/** An operator who names no workspace sees all of them. */
function scopeOf({ principal, workspace, isWorkspaceNamed }: Call): string | undefined {
  return principal.kind === 'operator' && !isWorkspaceNamed ? undefined : workspace;
}

async function visible({ audit }: Platform, seq: number, call: Call) {
  const entry = await audit.get(seq);
  const scope = scopeOf(call);
  if (scope === undefined || entry.workspace === scope) return entry;
  throw new Fault('not_found', `Cannot show entry ${seq}: there is no such entry`);
}

/** The next entry that matches, or nothing when none came in time. */
async function firstOf(audit: Platform['audit'], query: AuditQuery, waitMs: number, signal: AbortSignal) {
  const ending = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  for await (const entry of audit.follow(query, ending)) return { entries: [entry], next: entry.seq };
  return { entries: [], next: query.cursor };
}
