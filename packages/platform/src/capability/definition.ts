/**
 * The definition of a capability: what a YAML file says of it, checked. Everything people, models and the gate are told about a capability comes from here;
 * its handler only carries it out. A file holds one definition or a list of them; the files of Warren's own stand in `definitions/`, one for each category.
 *
 *     - name: filesystem.read
 *       version: "1.0"
 *       purpose: Reads a file of the workspace, whole or a part of it
 *       when_to_use: ...
 *       when_not_to_use: ...
 *       effect: read                  # read | idempotent | once
 *       permission_tier: autonomous   # the tier when no policy says anything
 *       tags: [read, safe]
 *       deadline: { default: 30s, max: 5m }
 *       concurrency: 16
 *       taints: []
 *       inputs:
 *         - { name: path, type: FilesystemPath, required: true, access: r, description: ... }
 *         - { name: limit, type: Integer, default: 1048576, minimum: 1, maximum: 4194304, description: ... }
 *       outputs:
 *         - { name: content, type: String, description: ... }
 *       side_effects: []
 *       common_patterns:
 *         - { description: ..., steps: ["filesystem.read(path='a.txt')"] }
 *       errors:
 *         - type: FileNotFound
 *           description: ...
 *           retryable: false
 *           recovery: [{ action: list_directory, description: ..., capability: filesystem.list, input: { path: "{parent}" } }]
 *         - PathOutOfScope        # A name alone: as `errors.yaml` has it
 *       examples:
 *         - { description: ..., input: { path: a.txt }, output: { content: hello } }
 */
import type { Effect, Tier } from '@warren/kernel';
import type { JsonObject, JsonValue } from '@warren/protocol';

export type Definition = {
  readonly name: string;
  readonly version: string;
  readonly purpose: string;
  readonly whenToUse: string;
  readonly whenNotToUse: string | undefined;
  readonly effect: Effect;
  readonly tier: Tier;
  readonly tags: readonly string[];
  readonly deadlineMs: { readonly default: number; readonly max: number };
  readonly concurrencyMax: number;
  /** Labels its results carry. */
  readonly taints: readonly string[];
  readonly inputs: readonly Field[];
  readonly outputs: readonly Field[];
  readonly sideEffects: readonly { readonly description: string; readonly reversible: boolean }[];
  readonly patterns: readonly { readonly description: string; readonly steps: readonly string[] }[];
  readonly errors: readonly ErrorDefinition[];
  readonly examples: readonly Example[];
  /** Grants besides those that paths and hosts of the arguments ask for: names of further capabilities it uses. */
  readonly uses: readonly string[];
  /** The pack it is of; undefined for Warren's own. */
  readonly pack: string | undefined;
  readonly source: { readonly file: string; readonly line: number };
  /** JSON Schema (2020-12) of the arguments and of the output. */
  readonly inputSchema: JsonObject;
  readonly outputSchema: JsonObject;
};

/**
 * What a value is. `FilesystemPath`, `URL`, `Host` and `Command` also say what the call is about: grants and policies are checked against them
 * wherever they stand, in lists and objects too.
 */
export const FIELD_TYPES = [
  'String',
  'Integer',
  'Float',
  'Number',
  'Boolean',
  'Object',
  'Array',
  'Any',
  'DateTime',
  'FilesystemPath',
  'GlobPattern',
  'URL',
  'Host',
  'Port',
  'Command',
  'Content',
  'SHA256',
  'AgentId',
  'SessionId',
  'CronExpression',
  'TimeZone',
  'Signal',
  'CapabilityName',
] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

export type Field = {
  readonly name: string;
  readonly type: FieldType;
  readonly description: string;
  readonly required: boolean;
  readonly default?: JsonValue | undefined;
  readonly enum?: readonly JsonValue[] | undefined;
  /** Of numbers; of texts in characters; of arrays in items. */
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  /** Values above `maximum` are taken for `maximum` instead of being refused. */
  readonly isClamped: boolean;
  /** Items of an Array; fields of an Object, or what all its values are under names that the caller chooses. Absent: anything. */
  readonly items?: Field | undefined;
  readonly fields?: readonly Field[] | undefined;
  readonly values?: Field | undefined;
  readonly nullable: boolean;
  /** FilesystemPath: what is done to it. A path is relative to `/workspace` unless it is absolute. */
  readonly access?: 'r' | 'rw' | undefined;
  /** Never recorded. */
  readonly isSecret: boolean;
  /**
   * Command: the field beside it that holds the arguments. Then the value is the program alone, and the command line is both together; without it
   * the value is the whole command line, a list.
   */
  readonly argumentsFrom?: string | undefined;
  /** Host: the field beside it that holds the port. Without it the host counts as one that is reached on port 443. */
  readonly portFrom?: string | undefined;
  /** Object: the field beside it that names the capability whose arguments it holds. What that one keeps secret is secret here. */
  readonly argumentsOf?: string | undefined;
  /** Content: the dimension of the ledger on which its bytes are reserved. */
  readonly charge?: string | undefined;
};

export type ErrorDefinition = {
  readonly type: string;
  readonly description: string;
  /** Of a shared error: every capability may answer it without naming it. */
  readonly isEverywhere: boolean;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly recovery: readonly {
    readonly action: string;
    readonly description: string;
    readonly capability: string | undefined;
    readonly input: JsonObject | undefined;
  }[];
};

/** A call that `warren capability test` makes, with what is to come of it. `setup`: files of the workspace before it. */
export type Example = {
  readonly description: string;
  readonly setup: Readonly<Record<string, string>>;
  readonly input: JsonObject;
  /** Fields the output must have. */
  readonly output: JsonObject | undefined;
  readonly error: string | undefined;
};

/** Something wrong with a definition: an error keeps it from being used, a warning does not. */
export type Problem = {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Where in the definition, as `inputs[0].type`; empty for the file as a whole. */
  readonly field: string;
  readonly reason: string;
};
