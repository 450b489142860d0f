/** Agents: named identities of a workspace. An agent outlives its processes; each of them begins with what the agent is given here. */
import type { JsonObject } from '../internal/json.ts';
import type { AgentRow, AgentState } from '../store/tables/agent-table.ts';
import type { GrantSet } from '../store/tables/grant-table.ts';

export type { AgentState };
export type AgentRecord = AgentRow;

export type AgentTerms = {
  readonly purpose?: string | undefined;
  readonly grants?: Partial<GrantSet> | undefined;
  readonly budgets?: Readonly<Record<string, number>> | undefined;
  /** How it thinks, for who runs it: the kernel keeps it and does not look into it. At most 64 KiB; null takes it away. */
  readonly program?: JsonObject | null | undefined;
};

export interface Agents {
  /**
   * What is not granted is not given. Purpose: at most 4,096 characters. Faults: `invalid_argument`, `invalid_payload`, `already_exists`, `conflict` (a process runs under this name),
   * `grant_invalid`, `ledger_amount_invalid`, `too_large` (10,000 of a workspace, a program).
   */
  create(name: string, terms?: AgentTerms): Promise<AgentRecord>;
  /** Faults: `not_found`. */
  get(name: string): Promise<AgentRecord>;
  find(name: string): Promise<AgentRecord | undefined>;
  /** By name, those after `after`; at most 1,000. */
  list(page?: { readonly limit?: number | undefined; readonly after?: string | undefined }): Promise<readonly AgentRecord[]>;
  /** For processes that begin from now on; what is absent stays. Faults: as `create`, and `not_found`. */
  update(name: string, terms: AgentTerms): Promise<AgentRecord>;
  /** For good, until it is restored: none of its tokens works, and its processes end. Whether it was not revoked before. Faults: `not_found`. */
  revoke(name: string): Promise<boolean>;
  /** Makes a revoked agent active. Its tokens stay revoked. Whether it was revoked. Faults: `not_found`. */
  restore(name: string): Promise<boolean>;
  /** With its tokens; its processes end. What they did stays in the records. Faults: `not_found`. */
  delete(name: string): Promise<void>;
}
