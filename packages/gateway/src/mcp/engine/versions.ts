/** The versions that are spoken here, in two eras: those with `initialize` and sessions, and the one in which every request stands for itself. */
export const SESSION_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
export type SessionVersion = (typeof SESSION_VERSIONS)[number];

export const STATELESS_VERSION = '2026-07-28';
/** What `server/discover` and the data of refusals of a version name: versions that can be asked for without a session. */
export const STATELESS_VERSIONS = [STATELESS_VERSION] as const;

/** The only one in which several messages may come in one. */
export const BATCH_VERSION: SessionVersion = '2025-03-26';

export function isSessionVersion(version: unknown): version is SessionVersion {
  return SESSION_VERSIONS.some((known) => known === version);
}

/** The one that is spoken with a client that asked for `version`: that one, or the newest. */
export function negotiate(version: unknown): SessionVersion {
  return isSessionVersion(version) ? version : SESSION_VERSIONS[0];
}

/** Keys of `_meta`. */
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;
