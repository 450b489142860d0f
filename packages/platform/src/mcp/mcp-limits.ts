/** Bounds of what servers of others may send and take. Who passes one that concerns a connection loses the connection. */
const KIB = 1_024;
const MIB = 1_048_576;

export const MCP_LIMITS = {
  serversMax: 64,
  /** Of one server. */
  toolsMax: 256,
  pagesMax: 16,
  /** The whole list of a server, as canonical JSON. */
  listBytesMax: 2 * MIB,
  schemaBytesMax: 64 * KIB,
  toolNameLengthMax: 128,
  /** Of what a server says of a tool, or of a part of its arguments; the rest is cut off. */
  textLengthMax: 2_048,

  /** One message, either way. */
  messageBytesMax: 8 * MIB,
  /** Messages to a server that does not read them. */
  unsentBytesMax: 16 * MIB,
  /** Messages that are no answers (notifications and requests of the server), within a minute. */
  noticesPerMinuteMax: 6_000,
  /** Lines on the standard output of a server that are no messages. */
  garbageLinesMax: 100,
  errorTextLengthMax: 2_000,

  /** Of all servers and workspaces together. */
  connectionsMax: 64,
  /** From the start of a server to its list of tools. */
  connectMs: 30_000,
  /** How long a server may think about which version of the protocol it speaks. */
  probeMs: 5_000,
  /** From the beginning of a login to its end. */
  loginMs: 600_000,
  /** Of what a server asks for that wants another token. */
  scopeLengthMax: 1_024,
  metadataUrlLengthMax: 2_048,
  /** Without a call. */
  idleMs: 300_000,
  sweepMs: 15_000,
  /** A list that was looked at this long ago is looked at again before a call. */
  recheckMs: 300_000,
  /** After a failed start; doubles with each that fails. */
  backoffMs: 1_000,
  backoffMsMax: 60_000,
  /** One answer over HTTP, an event stream among them. */
  answerBytesMax: 64 * MIB,
  /** One request over HTTP, an event stream among them. */
  streamMsMax: 3_600_000,
} as const;
