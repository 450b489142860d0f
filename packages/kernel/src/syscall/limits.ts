/** The bounds of the gate. What is beyond one is answered with an error of its own, never cut silently. */
export type GateLimits = {
  /** Calls of one process at the same time, all capabilities together. */
  readonly processMax: number;
  /** Calls under way in all workspaces. */
  readonly gateMax: number;
  /** Calls that wait for their turn: of one process, and altogether. */
  readonly processWaitingMax: number;
  readonly gateWaitingMax: number;
  /** After its signal fired an implementation has this long to end before its call is answered without it. */
  readonly graceMs: number;
};

export const GATE_LIMITS: GateLimits = {
  processMax: 64,
  gateMax: 1_000,
  processWaitingMax: 1_000,
  gateWaitingMax: 20_000,
  graceMs: 2_000,
};

/** Arguments as JSON, before anything looks at them; what the wire carries of them as well. */
export const INPUT_BYTES_MAX = 2_097_152;
/** The whole arguments as people see them: what says that a secret was left out can be longer than the secret. */
export const SHOWN_BYTES_MAX = 4 * INPUT_BYTES_MAX;
/** A result as JSON, redacted. */
export const OUTPUT_BYTES_MAX = 1_048_576;
/** Of arguments and results. */
export const DEPTH_MAX = 64;
export const VALUES_MAX = 100_000;
/** What the audit and the journal keep of arguments; their hash stands for the rest. */
export const RECORDED_BYTES_MAX = 16_384;
/** Each text of an error. */
export const ERROR_TEXT_MAX = 4_096;
export const KEY_LENGTH_MAX = 128;
export const REASONING_BYTES_MAX = 8_192;
export const LABELS_MAX = 32;
export const WAIT_MS_DEFAULT = 300_000;
export const WAIT_MS_MAX = 86_400_000;
/** How long a gate that closes lets calls under way end before it stops them. */
export const DRAIN_MS_DEFAULT = 10_000;
/** How long a call that was open when Warren stopped may be made again with its key. */
export const KEPT_MS = 7 * 86_400_000;
