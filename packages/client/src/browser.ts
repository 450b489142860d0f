/** Talks to a daemon from a browser, by `fetch`: the same as index.ts, but for where it can connect to. */
export { Fault, type FaultCode, isFault } from '@warren/protocol';
export type { CallOptions, Client, EventMessage, Patience } from './client.ts';
export { type ConnectOptions, connect } from './connect-by-fetch.ts';
export type { EventFilter, FollowOptions } from './follow-events.ts';
export { type Operations, operationsOf } from './operations-of.ts';
