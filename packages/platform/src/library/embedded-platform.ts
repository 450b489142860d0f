/**
 * Warren as a library: one agent for each customer, in somebody's own process. What is here has the names and shapes of an earlier system, so that code written for that runs on Warren; what that left open (a signal, ids of
 * what was found, typed errors) is added. The program that embeds it is the host: it is trusted with everything, as a daemon is.
 */
import type { JsonObject, JsonValue } from '@warren/protocol';
import type { Hooks } from '../hook/hooks.ts';
import type { ModelProvider } from '../model/model.ts';
import type { Sessions } from '../session/sessions.ts';

export type EmbeddedPlatformConfig = {
  /** All state is below it; made when it is missing. A directory of the system itself is refused. */
  readonly stateDir: string;
  /** Default: `skills` in the state directory. */
  readonly skillsDir?: string | undefined;
  /** Unlocks the vault. Default: what the environment variable WARREN_CREDENTIAL_KEY says. */
  readonly credentialPassphrase?: string | undefined;
  /** Who thinks, by name, before those that Warren knows by theirs (`anthropic`, `openai`, …), whose keys are `apiKey` or in the environment. */
  readonly providers?: Readonly<Record<string, ModelProvider>> | undefined;
  /** Whether to leave the state directory alone where no daemon holds it: the fault is `unavailable` then. Default: where none does this process holds it, until it is disposed. */
  readonly requiresDaemon?: boolean | undefined;
  /** What an operator should know. Default: nobody is told. */
  readonly log?: ((message: string) => void) | undefined;
};

export type WorkspaceConfig = {
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  /** Never written down. */
  readonly apiKey?: string | undefined;
  readonly systemPrompt?: string | undefined;
  /** Never written down. There is one vault for all workspaces, so it is the one of the platform, where that has none. */
  readonly credentialPassphrase?: string | undefined;
  readonly skills?: { readonly enabled?: readonly string[] | undefined } | undefined;
};

type Abortable = { readonly signal?: AbortSignal | undefined };

/**
 * Nothing is opened before it is first used. Another process that has the state directory open, a daemon too, is named by the fault `busy`. It listens to no signals of the process and changes nothing outside of its
 * directory; disposing it ends what runs and closes it.
 */
export interface EmbeddedPlatform extends AsyncDisposable {
  readonly stateDir: string;
  readonly skills: SkillRegistry;
  /** Faults: `already_exists`, `invalid_argument` (the id: 1 to 128 of letters, digits, _ and -; no passphrase). Nothing is left of one that fails. */
  createWorkspace(userId: string, config?: WorkspaceConfig): Promise<EmbeddedWorkspace>;
  /** Faults: `not_found`. */
  getWorkspace(userId: string): Promise<EmbeddedWorkspace>;
  /** By id, those that are not Warren's own. */
  listWorkspaces(): Promise<string[]>;
  /** Ends what runs there, and destroys all of it. Faults: `not_found`. */
  deleteWorkspace(userId: string): Promise<void>;
  workspaceExists(userId: string): Promise<boolean>;
}

export interface EmbeddedWorkspace extends AsyncDisposable {
  readonly userId: string;
  /** The same. */
  readonly id: string;
  /** Its own directory. */
  readonly stateDir: string;
  readonly memory: WorkspaceMemory;
  /** Of the workspace: one that is registered here holds for every object of it, and for every call of its agents. */
  readonly hooks: Hooks;
  readonly skills: WorkspaceSkills;
  readonly credentials: WorkspaceCredentials;
  readonly sessions: Sessions;
  /** Rejects with what went wrong; abort ends the turn and the process of the agent, and what was said until then stays in the session. */
  run(options: RunOptions): Promise<RunResult>;
  /** Lets go of it; the workspace stays. */
  destroy(): Promise<void>;
}

export type RunOptions = Abortable & {
  readonly message: string;
  /** Goes on with it, or begins it. Default: a new one. */
  readonly sessionId?: string | undefined;
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  readonly apiKey?: string | undefined;
  /** Several: each is tried. */
  readonly apiKeys?: readonly string[] | undefined;
  /** `provider/model` of those that are asked when the first fails in a way in which another may not. */
  readonly fallbacks?: readonly string[] | undefined;
  readonly systemPrompt?: string | undefined;
  /** What happens, as it happens. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
};

export type RunEvent =
  | { readonly type: 'text'; readonly text: string }
  /** A model failed; it is asked again after as long, or another one is. */
  | { readonly type: 'retry'; readonly model: string; readonly reason: string; readonly waitMs: number }
  | { readonly type: 'tool_call'; readonly toolName: string; readonly input: JsonObject }
  | { readonly type: 'tool_result'; readonly toolName: string; readonly result: JsonValue };

export type RunResult = {
  readonly response: string;
  readonly sessionId: string;
  readonly provider: string;
  readonly model: string;
  readonly fallbackUsed: boolean;
};

export type MemorySearchResult = {
  readonly id: string;
  /** 0 to 1. */
  readonly score: number;
  /** At most 700 characters. */
  readonly snippet: string;
  readonly source: string;
  readonly metadata: JsonObject | undefined;
  readonly createdAt: string;
  /** As in the earlier system, where memories could be parts of files: the id, and all lines. */
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
};

export interface WorkspaceMemory {
  /** The id; of a text that is there already the one it has. */
  store(content: string, metadata?: JsonObject): Promise<string>;
  /** Best first; 10 unless `maxResults` says otherwise, at most 100. */
  search(
    query: string,
    options?: Abortable & { readonly maxResults?: number | undefined; readonly minScore?: number | undefined },
  ): Promise<MemorySearchResult[]>;
  /** Whether it was there. */
  delete(id: string): Promise<boolean>;
  /** Newest first. */
  list(): Promise<{ id: string; content: string; metadata?: JsonObject; createdAt: string }[]>;
  /** Nothing is left to do: memories close by themselves. */
  close(): Promise<void>;
}

export interface WorkspaceCredentials {
  /** Replaces what the skill had. Faults: `invalid_argument`, `permission_denied` (wrong passphrase). */
  store(skillId: string, values: Readonly<Record<string, string>>): Promise<void>;
  /** Undefined: nothing was stored. Faults: `permission_denied` (wrong passphrase), `store_failed` (it was tampered with). */
  resolve(skillId: string): Promise<Record<string, string> | undefined>;
  /** Whether it was there. */
  delete(skillId: string): Promise<boolean>;
  /** Ids of skills, sorted. */
  list(): Promise<string[]>;
}

export type SkillEntry = { readonly id: string; readonly name: string; readonly description: string; readonly path: string };

export interface SkillRegistry {
  list(): SkillEntry[];
  get(id: string): SkillEntry | undefined;
}

export interface WorkspaceSkills {
  /** False: there is no such skill. */
  enable(id: string): boolean;
  /** Whether it was enabled. */
  disable(id: string): boolean;
  isEnabled(id: string): boolean;
  listEnabled(): SkillEntry[];
  listEnabledIds(): string[];
}
