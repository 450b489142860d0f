/**
 * Policy: what happens to a call, decided by rules that operators write. Pure: a decision is a function of the rules, the request and what was
 * counted so far, so the same question always has the same answer, and a recorded call can be asked again under other rules.
 *
 * Rules stand in files, files in layers, and layers from the top: system, organization, workspace, agent. In each file the first rule that matches
 * decides; of all files that say something the most restrictive tier wins, and the topmost rule that says it is named. A file of a workspace or an agent speaks
 * in that workspace or about that agent only. What `HARD_BLOCKS` blocks no file can allow.
 *
 * A rule marked `exception` is the only way to allow more than a layer below says: while it decides for its file, files of layers below it are set aside. They are
 * still told among the opinions, but their rules count nothing and ask nothing. An exception whose limit is reached sets nothing aside.
 *
 * Conditions are true, false or unknown. A condition on several values (the paths of a copy, the hosts of a call, the elements of an argument that is a
 * list) holds for a rule that lets pass (`autonomous`, `notify`) when every value satisfies it, and for a rule that holds back (`approval_required`,
 * `blocked`) when one does. All parts of one `path`, `host`, `command` or argument condition speak of the same value; different conditions are judged each for itself.
 * What a condition asks for and the call does not have (no path, no such argument, a number where a text is asked for) is unknown, and unknown neither lets pass nor
 * holds back.
 *
 * `not` turns the quantifier around as well: within it, "every" and "one" change places. So a rule that lets pass what is `not` under /etc wants every path
 * outside (it fails if one is inside), and a rule that blocks what is `not` under /workspace blocks as soon as one path is outside. What is unknown stays
 * unknown under `not`: no rule can be made to match by leaving something out. What is already decided by another part stays decided: a conjunction with a
 * false part is false, a choice with a true one is true.
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
  /** As it was given when the file was loaded; relative to the policy directory. Empty for what stands in no file. */
  readonly file: string;
  /** From 1; 0 for what stands in no file. */
  readonly line: number;
  /** Its `id`, or its position in the file as `rules[3]` (from 0). */
  readonly rule: string;
  readonly reason: string | undefined;
};

/**
 * Who is asked, and how. When rules of several files want approval, the terms are merged: the highest quorum, the earliest expiry, the groups that all lists
 * have in common (those of the topmost list when they have none: nobody else may decide then), the topmost escalation. What a rule leaves open it does not
 * vote on.
 */
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
  /** What each file that said something said, from the top, set aside or not; a default has a rule named `default`. */
  readonly opinions: readonly { readonly tier: Tier; readonly rule: RuleRef }[];
  /** The exception that set aside opinions from below, when one did. */
  readonly exception: RuleRef | undefined;
  /** The limit that was reached and made the tier stricter, and when there is room again. Of several, the one that takes longest. */
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

/**
 * Reached when there is no room for this call: for one more of `calls`, or for what the call is estimated to use of a dimension (at least one unit).
 */
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
  /** By the place of an argument, as `method` or `options.depth`; the empty place stands for all arguments together, as one object. */
  readonly args?: Readonly<Record<string, ValueCondition>> | undefined;
  /** Of labels the words say it: the call carries any of these; it carries none of these. A call without labels is clean, not unknown. */
  readonly taint?: { readonly any?: readonly string[] | undefined; readonly none?: readonly string[] | undefined } | undefined;
  readonly time?: TimeCondition | undefined;
  readonly not?: Condition | undefined;
  readonly any?: readonly Condition[] | undefined;
};

/** `under`: the path is one of these or below one. `glob`: `*` within a name, `**` in place of any number of names, also of none. */
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

/**
 * Of an argument that is a list each element is a value; but `exists` asks about the argument itself, and so does `equals` with a list. A text (or the
 * texts of a list together) beyond `SEARCHED_TEXT_MAX`, and a list beyond `VALUES_MAX`, is not searched: to `contains` and `regex`, or to any part, it never lets pass
 * and always holds back.
 */
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
  /** Exclusive; `24:00` is the end of the day. */
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
  /** Where it says so. */
  readonly defaultLine?: number | undefined;
  readonly rules: readonly { readonly rule: Rule; readonly line: number }[];
};

/**
 * A person's standing answer to a question: what would have to be approved is done, and told. It holds for exactly this agent and capability, its condition is that of
 * a rule that lets pass, and it never allows what is blocked. One whose condition is not valid holds for nothing.
 */
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
  /**
   * What an agent could be told of a capability without arguments: the mildest and the strictest tier a call may get. Whatever depends on arguments, taint, time or
   * counts may go either way; allowances and built-in rules about arguments are left out.
   */
  outlook(capability: Pick<PolicyRequest, 'capability' | 'tags' | 'agent' | 'defaultTier'>): {
    readonly mildest: Tier;
    readonly strictest: Tier;
  };
}

/** What is wrong with a file, or probably not meant. The message begins with file and line. */
export type PolicyProblem = {
  readonly kind: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly message: string;
};

export type PolicyOptions = {
  /** SHA-256 of the files, in hexadecimal: whoever read them has it. */
  readonly version: string;
  /** Whose policy it is; files of other workspaces are left out. Absent: those of all workspaces are. */
  readonly workspace?: string | undefined;
};
