/**
 * What the objects of the library stand on. There are two of them: `embedded/`, where this process holds the state directory, and `daemon/`, where a daemon does and everything goes through its socket.
 * `library/conformance` holds both to the same words.
 */
import type { JsonObject, JsonValue, WorkspaceId } from '@warren/protocol';
import type { Hooks } from '../hook/hooks.ts';
import type { ModelTool } from '../model/model.ts';
import type { Sessions } from '../session/sessions.ts';
import type { SecretUse, SecretValue } from '../vault/secrets.ts';
import type { WorkspaceMemory } from './embedded-platform.ts';

export interface LibraryBackend extends AsyncDisposable {
  readonly kind: 'embedded' | 'daemon';
  /** Faults: `already_exists`. */
  create(id: WorkspaceId): Promise<void>;
  exists(id: WorkspaceId): Promise<boolean>;
  list(): Promise<readonly WorkspaceId[]>;
  /** Ends the runs that `during` knows of first. Faults: `not_found`. */
  delete(id: WorkspaceId): Promise<void>;
  /** Asks for nothing before it is used; what is asked for then rejects with `not_found` where there is no such workspace. */
  workspace(id: WorkspaceId): WorkspaceBackend;
}

export interface WorkspaceBackend {
  readonly memory: WorkspaceMemory;
  readonly sessions: Sessions;
  /** The same for all who ask for this workspace. */
  readonly hooks: Hooks;
  readonly skills: SkillsBackend;
  readonly secrets: SecretsBackend;
  /** Begins a process of an agent; with the grants it is kept with, where an operator keeps it. */
  openAgent(agent: string): Promise<AgentSeat>;
  /** The signal fires when the given one does, when the workspace is deleted and when everything closes; `work` is waited for then. */
  during<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Of what a vault holds, as much as credentials of skills need. */
export type CredentialSecrets = {
  list(page: { readonly limit: number; readonly after: string | undefined }): Promise<readonly { readonly name: string }[]>;
  /** Bound to this skill and to nothing else. */
  set(name: string, value: string, skill: string): Promise<void>;
  /** Undefined: there is none. Faults: `unsupported` (values do not come to this process). */
  use(name: string, use: SecretUse): Promise<SecretValue | undefined>;
  /** Faults: `not_found`. */
  delete(name: string): Promise<void>;
};

export type SecretsBackend = {
  /** Faults: `invalid_argument` (no passphrase), `permission_denied` (not the right one), `vault_locked`. */
  unlocked(): Promise<CredentialSecrets>;
  /** The same without their values: enough to name and to delete them. */
  locked(): Promise<CredentialSecrets>;
};

/** What a model is told of a skill before it asks. */
export type SkillOffer = { readonly name: string; readonly description: string; readonly isRunnable: boolean };

export type SkillsBackend = {
  /** Of those that are enabled the ones that are as people approved them, by name. */
  offered(): Promise<readonly SkillOffer[]>;
  /** Approves one that nobody has approved yet: the program that embeds enables what it put there. Faults: `not_found`, `too_large`. */
  enable(skill: string): Promise<void>;
  disable(skill: string): Promise<void>;
};

/** The place of one process of an agent: what it calls the gate decides. */
export type AgentSeat = {
  /** What it may call, as functions of models. */
  tools(): Promise<readonly ModelTool[]>;
  /** The capability that a function is. */
  capabilityOf(tool: string): string;
  /** Whatever the gate says, as a model is told. */
  call(tool: string, input: JsonObject, signal: AbortSignal): Promise<JsonValue>;
  /** Ends the process, and what it has under way. */
  close(): Promise<void>;
};
