/** The egress guard. Apart from the walls: a command that needs those alone does not load what speaks to a network. */
export { createEgress, type EgressOptions } from './create-egress.ts';
/** Connections whose proxy is in another process. */
export { joinConnections } from './proxy/join-connections.ts';
export { type MessageSocket, MessageStream } from './proxy/message-stream.ts';
/** The same as an HTTP proxy for one sandbox: its rules, its decisions, its bytes. */
export { openSandboxProxy } from './proxy/open-sandbox-proxy.ts';
/** What commands have in the place of a secret. */
export { makePlaceholder } from './proxy/secret/placeholder.ts';
export { readAuthorities } from './read-authorities.ts';
