/** Every bound of the gateway in one place, with what happens there. */
import type { DispatchLimits } from '../jsonrpc/dispatch-limits.ts';

export type ServeLimits = Partial<DispatchLimits> & {
  /** One request, and one message of a WebSocket: a body of 16 MiB in base 64, its envelope, and room. More: 413, or the connection closes with 1009. */
  readonly bodyBytesMax: number;
  /** Requests and answers larger than `smallBytes` that are in memory at once. More: 503. */
  readonly heldBytesMax: number;
  readonly smallBytes: number;
  readonly headerBytesMax: number;
  /** Connections of each listener. More are dropped. */
  readonly connectionsMax: number;
  /** Calls under way on one connection. Of HTTP: 503; a WebSocket is not read until there are less. */
  readonly callsPerConnectionMax: number;
  /** Bytes under way on one WebSocket, in and out; it is not read until there are less. */
  readonly socketBytesMax: number;
  /** Streams of events, those of clients of MCP, and WebSockets. More: 503. */
  readonly streamsMax: number;
  readonly mcpStreamsMax: number;
  readonly socketsMax: number;
  /** Of those streams, and of those WebSockets: what only operators get, and what one process, or the members of one workspace, may have. More: 503. */
  readonly connectionsForOperators: number;
  readonly connectionsPerProcessMax: number;
  readonly connectionsPerMemberMax: number;
  /** Calls that wait for something to happen, of one process, or of the members of one workspace. More are answered with `busy`. */
  readonly waitsPerProcessMax: number;
  readonly waitsPerMemberMax: number;
  /** Until the headers are there, and until all of a request is. The connection is closed with 408. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** How long a connection is kept for the next request. */
  readonly keepAliveMs: number;
  /** How long somebody may take nothing of what is sent. The connection is closed. */
  readonly stallMs: number;
  /** Between two signs of life on a stream or a WebSocket. */
  readonly heartbeatMs: number;
  /** How long an address waits after its fifth wrong token, or a name or network after its fifth wrong passphrase; twice as long after each further one, up to a minute: 429. */
  readonly loginDelayMs: number;
  /** How long a provider of identities may take for one step of a sign-in: 503. */
  readonly issuerMs: number;
  /** Of one caller: what comes steadily, and how much of it at once. More: 429; a WebSocket is not read until there is room. */
  readonly requestsPerSecond: number;
  readonly requestsAtOnce: number;
  /** How long closing waits for what is under way. Then connections are cut. */
  readonly drainMs: number;
};

export const SERVE_LIMITS: ServeLimits = {
  bodyBytesMax: 24 * 2 ** 20,
  heldBytesMax: 256 * 2 ** 20,
  smallBytes: 65_536,
  headerBytesMax: 16_384,
  connectionsMax: 2_048,
  callsPerConnectionMax: 64,
  socketBytesMax: 32 * 2 ** 20,
  streamsMax: 1_024,
  mcpStreamsMax: 1_000,
  socketsMax: 256,
  connectionsForOperators: 16,
  connectionsPerProcessMax: 8,
  connectionsPerMemberMax: 64,
  waitsPerProcessMax: 16,
  waitsPerMemberMax: 64,
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 65_000,
  stallMs: 60_000,
  heartbeatMs: 15_000,
  loginDelayMs: 1_000,
  issuerMs: 10_000,
  requestsPerSecond: 10_000,
  requestsAtOnce: 20_000,
  drainMs: 10_000,
};
