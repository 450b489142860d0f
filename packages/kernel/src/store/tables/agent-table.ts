import type { JsonObject } from '../../internal/json.ts';
import type { GrantSet } from './grant-table.ts';

/** `revoked`: none of its tokens works, and it has no process, until it is restored. */
export const AGENT_STATES = ['active', 'revoked'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export type AgentRow = {
  readonly name: string;
  /** What it is for, in words for people. */
  readonly purpose: string;
  /** What each of its processes is given. */
  readonly grants: GrantSet;
  /** Of each of its processes, by dimension. */
  readonly budgets: Readonly<Record<string, number>>;
  /** How it thinks, for who runs it; undefined for a program that connects by itself. */
  readonly program: JsonObject | undefined;
  readonly state: AgentState;
  readonly createdAt: number;
  readonly updatedAt: number;
};

export interface AgentTableReads {
  find(name: string): AgentRow | undefined;
  /** By name, those after `after`. */
  list(limit: number, after?: string): readonly AgentRow[];
  count(): number;
}

export interface AgentTable extends AgentTableReads {
  insert(row: Omit<AgentRow, 'createdAt' | 'updatedAt'>): void;
  /** Throws when there is none. */
  update(row: Omit<AgentRow, 'createdAt' | 'updatedAt'>): void;
  /** False when there is none. */
  delete(name: string): boolean;
}
