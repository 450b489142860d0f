/** Talks to a daemon: `connect` is the beginning. */
export { Fault, type FaultCode, isFault } from '@warren/protocol';
export type { CallOptions, Client, EventMessage, Patience } from './client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export { type Discovery, discoveryPath, readDiscovery, SOCKET_NAME, socketPath } from './discovery.ts';
export type { EventFilter, FollowOptions } from './follow-events.ts';
export { type Operations, operationsOf } from './operations-of.ts';
export { readFingerprint } from './pinned-agent.ts';
export { type Session, type SessionAddress, type SignedIn, signIn, signOut, whoAmI } from './session.ts';
