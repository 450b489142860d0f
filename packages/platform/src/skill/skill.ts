/**
 * Skills: folders with a SKILL.md, which says in words what it is good for and how it is used, and a program that does it. Any agent of a workspace where it is enabled may run it; what runs is
 * in a sandbox of its own, made for this run, with the secrets, hosts and folders that its SKILL.md declares and nothing else. A skill is what was approved, byte for byte: one that was changed does not run.
 */
import type { JsonObject, JsonValue, WorkspaceId } from '@warren/protocol';
import type { SkillNetwork } from '../egress/skill-network.ts';

export type SkillManifest = {
  /** Of its folder. */
  readonly id: string;
  readonly description: string;
  readonly license: string | undefined;
  readonly compatibility: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** What its author means it to use: for whoever reads it, grants nothing. */
  readonly allowedTools: readonly string[];
  /** Program and arguments; undefined: one of the names that are looked for. */
  readonly executable: readonly string[] | undefined;
  /** Variables of its environment, and the secrets that they hold. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly hosts: readonly string[];
  readonly mounts: readonly SkillMount[];
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly outputBytesMax: number;
};

/** A folder of the workspace, seen below `/workspace` at the same place. */
export type SkillMount = { readonly path: string; readonly isWritable: boolean };

/** `changed`: since it was approved. `unapproved`: it was put there by hand. `broken`: its SKILL.md cannot be used. */
export type SkillState = 'approved' | 'changed' | 'unapproved' | 'broken';

export type Skill = {
  readonly id: string;
  readonly state: SkillState;
  readonly description: string;
  /** SHA-256 of all its files, as they are now. */
  readonly hash: string;
  /** Undefined when it is broken. */
  readonly manifest: SkillManifest | undefined;
  /** What its SKILL.md says after its front matter. */
  readonly instructions: string;
  /** What is wrong with it. */
  readonly problems: readonly string[];
  /** The program, relative to its folder. Undefined: it has instructions only. */
  readonly program: string | undefined;
};

export type SkillRun = {
  readonly result: JsonValue;
  readonly durationMs: number;
  /** The end of what it said on standard error. */
  readonly log: string;
  readonly cpuSeconds: number;
};

export interface Skills extends Disposable {
  /** All there are, by id. Those that look unchanged are not read again; `get` and `run` read every byte. */
  list(): Promise<readonly Skill[]>;
  /** Faults: `not_found`. */
  get(id: string): Promise<Skill>;
  /** Copies a folder, in place of the skill of that name, and approves it. Faults: `invalid_argument` (what is wrong with it), `too_large`, `not_found`. */
  add(folder: string, signal: AbortSignal): Promise<Skill>;
  /** What it is now is what may run; `hash` is what was looked at. Faults: `not_found`, `conflict` (it is another by now), `invalid_argument` (it is broken). */
  approve(id: string, hash: string): Promise<Skill>;
  /** From everywhere. Faults: `not_found`. */
  remove(id: string): Promise<void>;
  /** Whether it was not enabled before. Faults: `not_found` (the skill), `too_large`. */
  enable(workspace: WorkspaceId, id: string): Promise<boolean>;
  /** Whether it was enabled. */
  disable(workspace: WorkspaceId, id: string): Promise<boolean>;
  /** Ids, also of skills that are gone. */
  enabledIn(workspace: WorkspaceId): Promise<readonly string[]>;
  /** Throws `CapabilityError`: `SkillNotFound`, `SkillNotEnabled`, `SkillNotApproved`, `SkillNotRunnable`, `SkillFailed`, `SecretUnavailable`, `InvalidReturn`, `ResourceExhausted`, `Timeout`. */
  run(request: SkillRequest): Promise<SkillRun>;
  /** Calls back when something about skills may have changed. */
  onChange(listener: () => void): Disposable;
}

export type SkillRequest = {
  readonly workspace: WorkspaceId;
  readonly id: string;
  readonly params: JsonObject;
  readonly signal: AbortSignal;
  /** Decides and counts what its program does over the network. Absent: what it declares is all that is looked at. */
  readonly network?: Pick<SkillNetwork, 'decide' | 'note' | 'charge'> | undefined;
  /** Whether it need not be enabled: a person who tries one out does not enable it first. What it says goes to nobody else, so secrets are taken out of it here. */
  readonly isTrial?: boolean | undefined;
};

/** The names of programs that are looked for, in this order. The first three are those of an earlier system. */
export const EXECUTABLE_NAMES = ['execute.js', 'execute.mjs', 'execute.sh', 'execute.py', 'execute'] as const;
export const SKILL_FILE = 'SKILL.md';
export const SKILL_FILE_BYTES_MAX = 262_144;

export function isSkillId(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/.test(id) && !REFUSED.has(id);
}

/** Names that mean something to objects of JavaScript. */
const REFUSED = new Set(['__proto__', 'constructor', 'prototype']);
