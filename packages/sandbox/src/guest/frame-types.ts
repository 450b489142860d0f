/** The types of frames, who may send which, and how long each may be (docs/guest-protocol.md). */

export const HEADER_BYTES = 12;
export const PAYLOAD_BYTES_MAX = 65_536;
/** SPEC, EXEC and the file requests may be this long; only the host sends those. */
export const REQUEST_BYTES_MAX = 1_048_576;
/** Channels open at once; also the highest number the host picks. */
export const CHANNELS_MAX = 1_024;
export const WINDOW_BYTES = 262_144;
export const STDIN_CREDIT_BYTES = 65_536;
export const PING_BYTES_MAX = 64;
/** Fixed part of EXIT and of GONE. */
export const USAGE_MESSAGE_BYTES = 32;

export const FRAME = {
  SPEC: 0x01,
  FILTER: 0x02,
  EXEC: 0x10,
  STDIN: 0x11,
  SIGNAL: 0x12,
  RESIZE: 0x13,
  WINDOW: 0x14,
  PING: 0x15,
  ACCEPT: 0x16,
  READ: 0x20,
  WRITE: 0x21,
  LIST: 0x22,
  STAT: 0x23,
  REMOVE: 0x24,
  MKDIR: 0x25,
  HELLO: 0x40,
  DESTROY: 0x41,
  GONE: 0x42,
  REFUSED: 0x43,
  PLACED: 0x45,
  READY: 0x80,
  FAILED: 0x81,
  STDOUT: 0x90,
  STDERR: 0x91,
  STARTED: 0x92,
  EXIT: 0x93,
  CREDIT: 0x94,
  PONG: 0x95,
} as const;

/** Types that open a channel. */
export type RequestType = typeof FRAME.EXEC | FileRequestType;
export type FileRequestType =
  | typeof FRAME.READ
  | typeof FRAME.WRITE
  | typeof FRAME.LIST
  | typeof FRAME.STAT
  | typeof FRAME.REMOVE
  | typeof FRAME.MKDIR;

/** What one side may send: smallest and largest payload by type. */
export class FrameRules {
  /** How an error names the sender. */
  readonly sender: string;
  /** Pairs of smallest and largest payload; -1 as the largest: this type may not come from here. */
  readonly #bounds = new Int32Array(512).fill(-1);

  constructor(sender: string, rules: readonly (readonly [type: number, bytesMin: number, bytesMax: number])[]) {
    this.sender = sender;
    for (const [type, bytesMin, bytesMax] of rules) {
      this.#bounds[type * 2] = bytesMin;
      this.#bounds[type * 2 + 1] = bytesMax;
    }
  }

  has(type: number): boolean {
    return this.bytesMax(type) >= 0;
  }

  bytesMin(type: number): number {
    return this.#bounds[type * 2] ?? -1;
  }

  bytesMax(type: number): number {
    return this.#bounds[type * 2 + 1] ?? -1;
  }
}

export const FROM_GUEST: FrameRules = new FrameRules('guest', [
  [FRAME.READY, 0, 0],
  [FRAME.FAILED, 1, PAYLOAD_BYTES_MAX],
  [FRAME.STDOUT, 0, PAYLOAD_BYTES_MAX],
  [FRAME.STDERR, 0, PAYLOAD_BYTES_MAX],
  [FRAME.STARTED, 4, 4],
  [FRAME.EXIT, USAGE_MESSAGE_BYTES, PAYLOAD_BYTES_MAX],
  [FRAME.CREDIT, 4, 4],
  [FRAME.PONG, 0, PING_BYTES_MAX],
]);

export const FROM_LAUNCHER: FrameRules = new FrameRules('launcher', [
  [FRAME.HELLO, 1, PAYLOAD_BYTES_MAX],
  [FRAME.GONE, 0, PAYLOAD_BYTES_MAX],
  [FRAME.REFUSED, 1, PAYLOAD_BYTES_MAX],
  [FRAME.PLACED, 4, 4],
]);

/** Everything the host sends; the fakes of the tests read it. */
export const FROM_HOST: FrameRules = new FrameRules('host', [
  [FRAME.SPEC, 1, REQUEST_BYTES_MAX],
  [FRAME.FILTER, 0, PAYLOAD_BYTES_MAX],
  [FRAME.EXEC, 1, REQUEST_BYTES_MAX],
  [FRAME.STDIN, 0, PAYLOAD_BYTES_MAX],
  [FRAME.SIGNAL, 2, 2],
  [FRAME.RESIZE, 4, 4],
  [FRAME.WINDOW, 8, 8],
  [FRAME.PING, 0, PING_BYTES_MAX],
  [FRAME.ACCEPT, 8, 8],
  [FRAME.READ, 1, REQUEST_BYTES_MAX],
  [FRAME.WRITE, 1, REQUEST_BYTES_MAX],
  [FRAME.LIST, 1, REQUEST_BYTES_MAX],
  [FRAME.STAT, 1, REQUEST_BYTES_MAX],
  [FRAME.REMOVE, 1, REQUEST_BYTES_MAX],
  [FRAME.MKDIR, 1, REQUEST_BYTES_MAX],
  [FRAME.DESTROY, 0, 0],
]);
