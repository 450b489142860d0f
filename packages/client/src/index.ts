/** Talks to a daemon: `connect` is the beginning. */
export type { CallOptions, Client, EventMessage } from './client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { EventFilter, FollowOptions } from './follow-events.ts';
