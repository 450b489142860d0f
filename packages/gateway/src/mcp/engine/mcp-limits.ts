/** Every bound of the protocol's server in one place, with what happens there. */
export type McpLimits = {
  /** Sessions altogether, and of one caller. Of more the one that was used least recently, and is not in use, ends; when all are: 503. */
  readonly sessionsMax: number;
  readonly sessionsPerCallerMax: number;
  /** A session that has no stream and is not asked for anything for that long ends. */
  readonly sessionIdleMs: number;
  /** Requests of one session, or of one connection, under way. More are answered with an error. */
  readonly requestsMax: number;
  /** Messages in one batch. */
  readonly batchMax: number;
  /** Events of one stream that are kept for who comes back, and their bytes together. Older ones are forgotten. */
  readonly keptEventsMax: number;
  readonly keptBytesMax: number;
  /** Streams of a session that are kept after their end. */
  readonly keptStreamsMax: number;
  /** Streams of a session that are open. More: 503. */
  readonly streamsPerSessionMax: number;
  /** Questions to the client that are open in one session, and how long one is. */
  readonly questionsMax: number;
  readonly questionMs: number;
  /** How often a host may ask before one request is given up. */
  readonly roundsMax: number;
  readonly subscriptionsMax: number;
  /** Text of ids, tokens, cursors, names and URIs. */
  readonly textMax: number;
  /** A request that takes longer becomes a stream, which shows signs of life. */
  readonly streamAfterMs: number;
  /** How long what a client was asked for may take to come back with it, in the version without sessions. */
  readonly stateMs: number;
  /** Bytes that one connection of messages does not take before notifications for it are dropped. */
  readonly unsentBytesMax: number;
};

export const MCP_LIMITS: McpLimits = {
  sessionsMax: 2_000,
  sessionsPerCallerMax: 64,
  sessionIdleMs: 1_800_000,
  requestsMax: 64,
  batchMax: 100,
  keptEventsMax: 64,
  keptBytesMax: 262_144,
  keptStreamsMax: 8,
  streamsPerSessionMax: 64,
  questionsMax: 16,
  questionMs: 600_000,
  roundsMax: 100,
  subscriptionsMax: 100,
  textMax: 4_096,
  streamAfterMs: 10_000,
  stateMs: 3_600_000,
  unsentBytesMax: 1_048_576,
};
