/**
 * The platform: what stands on the kernel and the walls, put together. It hands capabilities and policies to the gate, opens the audit, and owns the order in which all of it
 * begins and ends.
 */
import type { Audit, Decision, Gate, TaintRow, UnfinishedCall } from '@warren/kernel';
import type { JsonObject, WorkspaceId } from '@warren/protocol';
import type { Agents } from './agent/agents.ts';
import type { Registry } from './capability/registry.ts';
import type { Config } from './config/config-format.ts';
import type { ConfigReload } from './config/live-config.ts';
import type { RunNetworks } from './egress/run-networks.ts';
import type { LiveHooks } from './hook/open-hooks.ts';
import type { McpServers } from './mcp/mcp-servers.ts';
import type { Memories } from './memory/open-memories.ts';
import type { Models } from './model/open-models.ts';
import type { Notifier } from './notify/open-notifier.ts';
import type { Packs } from './pack/packs.ts';
import type { Policies } from './policy/open-policies.ts';
import type { FileProblem } from './policy/read-yaml.ts';
import type { Simulated } from './policy/simulate-policy.ts';
import type { WorkspaceSessions } from './session/open-workspace-sessions.ts';
import type { Skills } from './skill/skill.ts';
import type { Secrets } from './vault/secrets.ts';
import type { Vault } from './vault/vault.ts';
import type { WorkspaceUsage } from './workspace/measure-workspace.ts';
import type { Room } from './workspace/stored-bytes.ts';

export interface Platform extends AsyncDisposable {
  readonly gate: Gate;
  readonly audit: Audit;
  readonly capabilities: Registry;
  readonly packs: Packs;
  readonly mcpServers: McpServers;
  readonly policies: Policies;
  readonly agents: Agents;
  readonly notifier: Notifier;
  readonly memories: Memories;
  /** Those that the operator set up, and those of the table whose keys are in the environment. */
  readonly models: Models;
  readonly skills: Skills;
  readonly hooks: LiveHooks;
  readonly sessions: WorkspaceSessions;
  readonly runNetworks: RunNetworks;
  /**
   * Begins nothing any more, lets calls under way end for so long, and stops those that have not; what is scheduled and was not made stays due. Once more, with less,
   * is sooner. To be called while callers can still be answered; disposing does it otherwise.
   */
  drain(options: { readonly drainMs: number }): Promise<void>;
  readonly vault: Vault;
  /** Whether a workspace may store more. */
  readonly room: Room;
  /** Of one workspace. */
  secrets(workspace: WorkspaceId): Secrets;
  /** What the operator set, as it is in force now. */
  config(): Config;
  /** Reads it again. What cannot be used changes nothing, and an alert says so until it is mended. */
  reloadConfig(): Promise<ConfigReload>;
  /** What would be decided about a call of an agent; carries nothing out and counts nothing. Faults: `not_found` (the capability), `invalid_argument` (arguments). */
  explain(workspace: WorkspaceId, question: PolicyQuestion): Promise<Decision>;
  /** Recorded calls decided again under other files. */
  simulate(
    files: readonly { readonly path: string; readonly text: string }[],
    period: {
      readonly from?: number | undefined;
      readonly to?: number | undefined;
      readonly workspace?: string | undefined;
      readonly limit: number;
    },
    signal: AbortSignal,
  ): Promise<Simulated & { readonly problems: readonly FileProblem[] }>;
  /** What a workspace has, and how much of it. */
  usageOf(workspace: WorkspaceId, signal: AbortSignal): Promise<WorkspaceUsage>;
  /** Labels of untrusted content that a process carries. */
  taints(workspace: WorkspaceId, pid: number): Promise<readonly TaintRow[]>;
  /** Returns how many. */
  clearTaints(workspace: WorkspaceId, pid: number): Promise<number>;
  /** Under way or waiting, oldest first. */
  unfinishedCalls(
    workspace: WorkspaceId,
    filter: { readonly pid?: number | undefined; readonly limit: number },
  ): Promise<readonly UnfinishedCall[]>;
}

export type PolicyQuestion = {
  readonly agent: string;
  readonly capability: string;
  readonly input: JsonObject;
  readonly taint: readonly string[];
  readonly at: number | undefined;
};
