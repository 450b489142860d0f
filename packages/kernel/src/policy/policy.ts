/**
 * Policy: what happens to a call, decided by rules that operators write. Pure: a decision is a function of the rules, the request and what was
 * counted so far, so the same question always has the same answer, and a recorded call can be asked again under other rules.
 *
 * Rules stand in files, files in layers, and layers from the top: system, organization, workspace, agent. In each file the first rule that matches
 * decides; of all files that say something the most restrictive tier wins. A rule marked `exception` is the only way to allow more than a
 * layer below says, and only from above; its decision says so. What `HARD_BLOCKS` blocks no file can allow.
 *
 * A condition on several values (the paths of a copy, the hosts of a call) holds for a rule that lets pass (`autonomous`, `notify`) when every
 * value satisfies it, and for a rule that holds back (`approval_required`, `blocked`) when one does. A value that a condition asks for and that the call does not have
 * never lets pass and never holds back.
 */
import type { JsonObject, JsonValue } from '../internal/json.ts';

/** From the least to the most restrictive. */
export const TIERS = ['autonomous', 'notify', 'approval_required', 'blocked'] as const;
export type Tier = (typeof TIERS)[number];

/** From the top. */
export const LAYERS = ['system', 'organization', 'workspace', 'agent'] as const;
export type Layer = (typeof LAYERS)[number];

/** What a call is about, as its definition reads it from the arguments. Paths are absolute and canonical; hosts in lower case, without a final dot. */
export type CallFacts = {
  readonly paths: readonly { readonly path: string; readonly mode: 'r' | 'rw' }[];
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** Command lines it starts, each as it is executed. */
  readonly commands: readonly (readonly string[])[];
  /** Bytes of content it carries. */
  readonly contentBytes: number | undefined;
  /** What it will use at least, by dimension of the ledger; settled by what is measured. */
  readonly estimate: Readonly<Record<string, number>>;
};

export const NO_FACTS: CallFacts = { paths: [], hosts: [], commands: [], contentBytes: undefined, estimate: {} };

export type PolicyRequest = {
  readonly capability: string;
  /** Labels of the capability, as `write` or `destructive`. */
  readonly tags: readonly string[];
  /** Name of the agent; empty for a process that runs for none. */
  readonly agent: string;
  readonly input: JsonObject;
  readonly facts: CallFacts;
  /** Labels of the untrusted content that the arguments may derive from, as `web` or `mail`. */
  readonly taint: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The tier of the definition, for when no rule and no default says anything. */
  readonly defaultTier: Tier;
};

/** Where a rule stands. */
export type RuleRef = {
  readonly layer: Layer | 'builtin' | 'allowance';
  /** As it was given when the file was loaded; relative to the policy directory. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Its `id`, or its position in the file as `rules[3]`. */
  readonly rule: string;
  readonly reason: string | undefined;
};

/** Who is asked, and how. */
export type AskTerms = {
  /** People who have to approve. */
  readonly quorum: number;
  /** Groups whose members may decide; empty: whoever may approve in this workspace. */
  readonly approvers: readonly string[];
  readonly expiresMs: number;
  readonly escalate: { readonly afterMs: number; readonly to: readonly string[] } | undefined;
};

export const DEFAULT_ASK: AskTerms = { quorum: 1, approvers: [], expiresMs: 86_400_000, escalate: undefined };

/** A sliding window in which calls, or what they use of a dimension, are counted for one rule and one agent. */
export type CounterRef = {
  /** Names the rule and the agent; the same after a restart, another when the limit of the rule changes. */
  readonly key: string;
  readonly perMs: number;
  /** `calls`, or a dimension of the ledger. */
  readonly what: string;
  readonly max: number;
};

export type Decision = {
  readonly tier: Tier;
  /** The rule that decided; undefined when nothing said anything and the definition's tier holds. */
  readonly rule: RuleRef | undefined;
  /** What each file that said something said, from the top; a default has a rule named `default`. */
  readonly opinions: readonly { readonly tier: Tier; readonly rule: RuleRef }[];
  /** The exception that set aside opinions from below, when one did. */
  readonly exception: RuleRef | undefined;
  /** The limit that was reached and made the tier stricter, and when there is room again. */
  readonly exceeded: { readonly rule: RuleRef; readonly counter: CounterRef; readonly retryAfterMs: number } | undefined;
  /** Where this call counts if it is carried out. */
  readonly counters: readonly CounterRef[];
  readonly ask: AskTerms;
};

/** How much was counted in the window that ends at the time of the request, and when the oldest of it leaves the window. */
export type ReadCounter = (counter: CounterRef) => { readonly amount: number; readonly oldestAt: number | undefined };

/** A rule of a policy file. Every part that is given must hold. */
export type Rule = {
  readonly id?: string | undefined;
  /** Exact names, `category.*`, or `*`. */
  readonly capability: readonly string[];
  /** Any of these labels. */
  readonly tags?: readonly string[] | undefined;
  /** Exact names or patterns with `*`. Absent: every agent. */
  readonly agent?: readonly string[] | undefined;
  readonly when?: Condition | undefined;
  readonly tier: Tier;
  readonly reason?: string | undefined;
  /** Sets aside what layers below say. In an agent's file it means nothing and is refused. */
  readonly exception?: boolean | undefined;
  readonly limit?: Limit | undefined;
  readonly ask?: Partial<AskTerms> | undefined;
};

export type Limit = {
  /** `calls` (default) or a dimension of the ledger: `cost_micro`, `net_bytes`, … */
  readonly what: string;
  readonly max: number;
  readonly perMs: number;
  /** The tier once it is reached; never less than that of the rule. Default `blocked`: the call is refused and told when to come back. */
  readonly onExceed: Tier;
};

/** All of what is given must hold. */
export type Condition = {
  readonly path?: PathCondition | undefined;
  readonly host?: HostCondition | undefined;
  readonly command?: CommandCondition | undefined;
  /** Bytes of content. */
  readonly size?: NumberCondition | undefined;
  /** By the place of an argument, as `method` or `options.depth`. */
  readonly args?: Readonly<Record<string, ValueCondition>> | undefined;
  readonly taint?: { readonly any?: readonly string[] | undefined; readonly none?: readonly string[] | undefined } | undefined;
  readonly time?: TimeCondition | undefined;
  readonly not?: Condition | undefined;
  readonly any?: readonly Condition[] | undefined;
};

/** `under`: the path is one of these or below one. `glob`: `*` within a name, `**` over names. */
export type PathCondition = {
  readonly under?: readonly string[] | undefined;
  readonly notUnder?: readonly string[] | undefined;
  readonly glob?: readonly string[] | undefined;
  readonly mode?: 'r' | 'rw' | undefined;
};

/** Patterns as in grants: `h`, `*.h`, `**.h`, `*`, each with an optional `:port`. */
export type HostCondition = { readonly matches?: readonly string[] | undefined; readonly notMatches?: readonly string[] | undefined };

/** `prefix`: the command line begins with one of these. `program`: its first word, without directories. */
export type CommandCondition = {
  readonly prefix?: readonly (readonly string[])[] | undefined;
  readonly program?: readonly string[] | undefined;
};

export type NumberCondition = {
  readonly lt?: number | undefined;
  readonly lte?: number | undefined;
  readonly gt?: number | undefined;
  readonly gte?: number | undefined;
};

export type ValueCondition = NumberCondition & {
  readonly equals?: JsonValue | undefined;
  readonly in?: readonly JsonValue[] | undefined;
  readonly notIn?: readonly JsonValue[] | undefined;
  readonly startsWith?: string | undefined;
  readonly endsWith?: string | undefined;
  readonly contains?: string | undefined;
  /** Matches somewhere in the text, in time linear in it: no back references, no look around. */
  readonly regex?: string | undefined;
  readonly exists?: boolean | undefined;
};

/** `from` may be later than `to`: over midnight, and then it belongs to the day on which it began. */
export type TimeCondition = {
  /** IANA; default UTC. */
  readonly zone?: string | undefined;
  readonly days?: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[] | undefined;
  /** `HH:MM`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
};

/** A file as it was parsed and checked; lines are those of its rules. */
export type PolicyFile = {
  readonly layer: Layer;
  readonly file: string;
  /** For layer `agent`: whose it is. For layer `workspace`: of which workspace. */
  readonly of: string | undefined;
  /** What this file says when none of its rules matches. Absent: nothing. */
  readonly defaultTier: Tier | undefined;
  readonly rules: readonly { readonly rule: Rule; readonly line: number }[];
};

/** A person's standing answer to a question: what would have to be approved is done, and told. */
export type Allowance = {
  readonly id: string;
  readonly agent: string;
  readonly capability: string;
  readonly when: Condition | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
};

/** Compiled rules of one workspace. Never changes; a change makes another. */
export interface Policy {
  /** SHA-256 of the files it was made from, in hexadecimal. */
  readonly version: string;
  decide(request: PolicyRequest, read: ReadCounter, allowances?: readonly Allowance[]): Decision;
  /** What an agent could be told: every capability it names and the strictest and mildest tier it may get, without arguments. */
  outlook(capability: Pick<PolicyRequest, 'capability' | 'tags' | 'agent' | 'defaultTier'>): {
    readonly mildest: Tier;
    readonly strictest: Tier;
  };
}
