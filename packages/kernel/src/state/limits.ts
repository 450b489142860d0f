/** What state may take. Sizes are those of values as JSON in UTF-8, of current ones and of versions together. */
export const VALUE_BYTES_MAX = 1_048_576;
export const KEY_CHARACTERS_MAX = 512;
/** Values in one scope: small ones cost more than their size. */
export const KEYS_MAX = 100_000;
/** A list for one agent walks past the keys of the others that it may not read. */
export const SHARED_KEYS_MAX = 20_000;
/** Of a key of an agent, the one it has now included. */
export const VERSIONS_MAX = 100;
/** The name of an agent and a word before it. */
export const OWN_NAME_BYTES_MAX = 512;
export const ACCESS_PATTERNS_MAX = 100;
export const TTL_MS_MAX = 315_360_000_000;
export const DEPTH_MAX = 64;
/** Values of all depths together: an empty list has two bytes and takes fifty times that in memory. */
export const PARTS_MAX = 100_000;

/** Rows in one step of whatever has many. */
export const STEP = 1_000;
/** What expires within this time is deleted together. */
export const SWEEP_DELAY_MS = 1_000;

export type StateQuotas = { readonly sessionBytes: number; readonly agentBytes: number; readonly sharedBytes: number };

const MIB = 1_048_576;
export const QUOTAS_DEFAULT: StateQuotas = { sessionBytes: 50 * MIB, agentBytes: 100 * MIB, sharedBytes: 500 * MIB };
