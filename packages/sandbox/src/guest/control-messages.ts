/** What travels between the host and its launcher on the control connection. */
import { Fault } from '@warren/protocol';
import { decodeUsage, type RawUsage } from './exit-message.ts';
import { USAGE_MESSAGE_BYTES } from './frame-types.ts';

export const PROTOCOL_VERSION = '1';

/** How pid 1 of a sandbox ended, what everything in it used, and the contents of its `--cgroup-report` files. */
export type GoneMessage = {
  readonly kind: 'exited' | 'signalled';
  /** Exit code or number of the signal. */
  readonly value: number;
  readonly usage: RawUsage;
  readonly reports: readonly string[];
};

export type Hello = {
  /** Name of the abstract socket on which the launcher takes sandboxes, without its leading NUL. */
  readonly socketName: string;
  /** Landlock's ABI version on this kernel; 0 without it. */
  readonly landlock: number;
};

/** Throws `protocol_error`. */
export function decodeHello(payload: Buffer): Hello {
  const [version, socketName, landlock] = payload.toString('utf8').split('\0');
  if (version !== PROTOCOL_VERSION) {
    throw malformed(
      `it speaks version ${JSON.stringify(version?.slice(0, 20))} of the protocol, this library speaks "${PROTOCOL_VERSION}"`,
    );
  }
  if (socketName === undefined || socketName === '') throw malformed('it does not name its socket');
  return { socketName, landlock: Number.parseInt(landlock ?? '0', 10) || 0 };
}

/** `undefined`: the launcher did not know this sandbox (any more). Throws `protocol_error`. */
export function decodeGone(payload: Buffer): GoneMessage | undefined {
  if (payload.length === 0) return undefined;
  const how = payload[0];
  if (payload.length < USAGE_MESSAGE_BYTES || (how !== 0 && how !== 1)) throw malformed('it does not say how a sandbox ended');
  const reports = payload.toString('utf8', USAGE_MESSAGE_BYTES).split('\0');
  reports.pop(); // Each report is followed by NUL.
  return { kind: how === 0 ? 'exited' : 'signalled', value: payload.readInt32LE(4), usage: decodeUsage(payload, 8), reports };
}

function malformed(what: string): Fault<'protocol_error'> {
  return new Fault('protocol_error', `Cannot understand the launcher: ${what}`);
}
