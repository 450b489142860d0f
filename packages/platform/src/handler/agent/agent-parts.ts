/** What an agent can be told about itself. Handed in by `platform.ts`, as far as it exists only after the handlers do. */
import type { Offer, RecordedEntry } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import type { Definition } from '../../capability/definition.ts';

export type RuleView = {
  readonly capability: string;
  readonly tier: string;
  readonly reason: string | null;
  readonly rate_limit: { readonly max: number; readonly per_seconds: number; readonly what: string; readonly on_exceed: string } | null;
  readonly rule: string;
};

export type AgentParts = {
  readonly offered: (workspace: WorkspaceId, pid: number) => Promise<readonly Offer[]>;
  readonly definition: (name: string) => Definition | undefined;
  /** In the order in which they are looked at. */
  readonly rules: (workspace: WorkspaceId, agent: string) => { readonly rules: readonly RuleView[]; readonly defaultTier: string | null };
  /** Successful calls of a process, newest first. */
  readonly callsOf: (workspace: WorkspaceId, pid: number, since: number) => Promise<readonly RecordedEntry[]>;
  /** `healthy`, `degraded` or `unhealthy`. */
  readonly health: () => Promise<string>;
  readonly now: () => number;
  readonly newId: () => string;
};
