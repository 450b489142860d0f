/** The bounds of mail. What they do at the edge stands at the operations of `mail.ts`. */

const HOUR_MS = 3_600_000;

export const CAPACITY = { default: 1_024, least: 1, most: 100_000 } as const;
export const SENDER_CAPACITY = { default: 256, least: 1, most: 10_000 } as const;
export const RETENTION_MS = { default: HOUR_MS, least: 0, most: 366 * 24 * HOUR_MS } as const;
export const DELIVERIES = { default: 16, least: 1, most: 1_000 } as const;
export const VISIBILITY_MS = { default: 30_000, least: 1, most: 12 * HOUR_MS } as const;
export const WAIT_MS = { default: 0, least: 0, most: HOUR_MS } as const;
/** For an answer. */
export const REQUEST_MS = { default: 30_000, least: 1, most: HOUR_MS } as const;
export const RECEIVE = { default: 100, least: 1, most: 1_000 } as const;
export const PRIORITY = { default: 0, least: -1_000_000_000, most: 1_000_000_000 } as const;

/** What was handed out and not acknowledged, for each message of the capacity. */
export const DELIVERED_FACTOR = 4;
/** Payloads of one box, dead letters aside. */
export const BOX_BYTES_MAX = 67_108_864;
export const DEAD_MAX = 1_000;
export const KEYS_MAX = 10_000;
export const SENDERS_MAX = 256;
export const SUBSCRIPTIONS_MAX = 1_000;
export const SUBSCRIBERS_MAX = 10_000;
export const ACKNOWLEDGED_MAX = 10_000;
/** Open requests of one process. */
export const REQUESTS_MAX = 1_000;
/** Receivers that wait at one box. */
export const WAITERS_MAX = 1_000;

/** Messages removed in one transaction. */
export const SWEEP_STEP = 500;
/** What is past its time is invisible at once; its rows may wait so long, to be deleted together. */
export const SWEEP_DELAY_MS = 1_000;
/** After a sweep that failed. */
export const SWEEP_RETRY_MS = 60_000;
