/** EXIT: how a command or a file operation ended, and what it used. */
import { Fault } from '@warren/protocol';
import { USAGE_MESSAGE_BYTES } from './frame-types.ts';

/** Measured by the kernel for the main process and the children it waited for. */
export type RawUsage = { readonly userMicros: number; readonly systemMicros: number; readonly rssBytesMax: number };

export type RawExit =
  | { readonly kind: 'exited'; readonly code: number; readonly leftovers: number; readonly usage: RawUsage }
  | {
      readonly kind: 'signalled';
      readonly signal: number;
      readonly isCoreDumped: boolean;
      readonly leftovers: number;
      readonly usage: RawUsage;
    }
  /** It never ran, or the file operation failed. */
  | {
      readonly kind: 'failed';
      readonly stage: string;
      readonly call: string;
      readonly path: string;
      readonly errno: number;
      readonly usage: RawUsage;
    };

const SIGNAL_MAX = 64;
const ERRNO_MAX = 4_095;
/** Stages and calls go into messages that people read. */
const WORD = /^[\w .:()-]{0,64}$/;

/** Throws `protocol_error` for anything the protocol does not allow. */
export function decodeExit(payload: Buffer): RawExit {
  if (payload.length < USAGE_MESSAGE_BYTES) throw malformed('it is too short');
  const kind = payload.readUInt8(0);
  const core = payload.readUInt8(1);
  const value = payload.readInt32LE(4);
  const leftovers = payload.readUInt16LE(2);
  if (core > (kind === 1 ? 1 : 0)) throw malformed(`it says ${core} about a core dump`);
  if (kind === 2 && leftovers !== 0) throw malformed(`it never ran and left ${leftovers} processes`);
  if (kind !== 2 && payload.length !== USAGE_MESSAGE_BYTES) throw malformed(`it has ${payload.length} bytes`);
  const usage = decodeUsage(payload, 8);
  switch (kind) {
    case 0:
      if (value < 0 || value > 255) throw malformed(`its exit code is ${value}`);
      return { kind: 'exited', code: value, leftovers, usage };
    case 1:
      if (value < 1 || value > SIGNAL_MAX) throw malformed(`its signal is ${value}`);
      return { kind: 'signalled', signal: value, isCoreDumped: core === 1, leftovers, usage };
    case 2: {
      if (value < 1 || value > ERRNO_MAX) throw malformed(`its errno is ${value}`);
      const parts = payload.toString('utf8', USAGE_MESSAGE_BYTES).split('\0', 4);
      const [stage, call, path] = parts;
      if (parts.length !== 3 || stage === undefined || call === undefined || path === undefined) {
        throw malformed('it does not name a stage, a call and a path');
      }
      if (!WORD.test(stage) || !WORD.test(call)) throw malformed('its stage or its call is not a word');
      return { kind: 'failed', stage, call, path, errno: value, usage };
    }
    default:
      throw malformed(`its kind is ${kind}`);
  }
}

/** Three u64: user and system time in microseconds, largest resident set. */
export function decodeUsage(payload: Buffer, at: number): RawUsage {
  return { userMicros: readU64(payload, at), systemMicros: readU64(payload, at + 8), rssBytesMax: readU64(payload, at + 16) };
}

/** As a number: exact up to 2^53, which no honest value here exceeds, and close above. */
export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
}

function malformed(what: string): Fault<'protocol_error'> {
  return new Fault('protocol_error', `Cannot understand how something in the sandbox ended: ${what}`);
}
