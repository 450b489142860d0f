/** From what the guest and the kernel say about the end of a command to the `Exit` of the contract: who or what ended it. Pure. */
import type { Exit, LimitName, SignalName, Usage } from '../contract.ts';
import { SIGNALS } from '../signals.ts';
import type { Ended } from './channel.ts';
import { errnoName } from './errno.ts';
import type { RawExit, RawUsage } from './exit-message.ts';

/** Why the host stopped a command. */
export type Stop = Ended<LimitName | 'caller' | 'destroyed'>;

export type ExitContext = {
  readonly wallMs: number;
  /** The host stopped it, for this reason. */
  readonly stop: Stop | undefined;
  /** What it left was ended with it. */
  readonly endsTree: boolean;
  /** The caller sent it SIGKILL: then no limit is blamed for that. */
  readonly isKilled: boolean;
  /** Limits of the whole sandbox whose counters rose while it ran. */
  readonly countersRisen: readonly LimitName[];
  /** Limits in force; `undefined` or `null`: none. */
  readonly cpuSeconds: number | null | undefined;
  readonly fileBytes: number | null | undefined;
  readonly memoryBytes: number | null | undefined;
};

const SIGNAL_NAMES: ReadonlyMap<number, SignalName> = new Map(
  Object.entries(SIGNALS).map(([name, number]) => [number, name as SignalName]), // Object.entries forgets the keys of a const table.
);

export function exitOf(raw: RawExit, context: ExitContext): Exit {
  if (raw.kind === 'failed') return notStarted(raw);
  const usage = toUsage(raw.usage, context.wallMs);
  const stop = context.stop ?? (raw.kind === 'signalled' ? limitBehind(raw.signal, raw.usage, context) : undefined);
  const limitsHit = stop === undefined ? context.countersRisen : withLimit(context.countersRisen, stop.by);
  const ending = { usage, limitsHit, ...(context.endsTree && { leftoversEnded: raw.leftovers }) };
  if (stop !== undefined) return { kind: 'stopped', ...stop, ...ending };
  if (raw.kind === 'exited') return { kind: 'exited', code: raw.code, ...ending };
  const signal = SIGNAL_NAMES.get(raw.signal);
  // Real-time signals have no name in the contract; a shell would say it this way.
  return signal === undefined ? { kind: 'exited', code: 128 + raw.signal, ...ending } : { kind: 'signalled', signal, ...ending };
}

/** The exit of a command whose sandbox was ended while it ran: the kernel's figures went with it. */
export function exitWithoutAnswer(stop: Stop, wallMs: number): Exit {
  const usage = { userCpuMs: 0, systemCpuMs: 0, wallMs, memoryBytesMax: 0 };
  return { kind: 'stopped', by: stop.by, detail: stop.detail, usage, limitsHit: withLimit([], stop.by) };
}

/** The limit that must have sent this signal, if one did. */
function limitBehind(signal: number, usage: RawUsage, context: ExitContext): Stop | undefined {
  const { cpuSeconds, fileBytes, memoryBytes } = context;
  const cpu =
    cpuSeconds === undefined || cpuSeconds === null
      ? undefined
      : ({ by: 'cpu', detail: `it used its ${cpuSeconds} s of processor time` } as const);
  switch (signal) {
    case SIGNALS.SIGXCPU:
      return cpu;
    case SIGNALS.SIGXFSZ:
      return fileBytes === undefined || fileBytes === null
        ? undefined
        : { by: 'file_size', detail: `it wrote past ${fileBytes} bytes, the largest file allowed` };
    case SIGNALS.SIGKILL:
      if (context.isKilled) return undefined;
      if (context.countersRisen.includes('memory')) {
        return {
          by: 'memory',
          detail: `the kernel killed it because the sandbox used up its ${memoryBytes ?? 'available'} bytes of memory`,
        };
      }
      // At the hard limit, one second after the soft one, the kernel sends SIGKILL.
      return usage.userMicros + usage.systemMicros >= (cpuSeconds ?? Number.POSITIVE_INFINITY) * 1_000_000 ? cpu : undefined;
    default:
      return undefined;
  }
}

function notStarted(raw: Extract<RawExit, { kind: 'failed' }>): Exit {
  const { stage, call, path } = raw;
  const errno = errnoName(raw.errno);
  const code = stage !== 'exec' ? 125 : errno === 'ENOENT' ? 127 : 126;
  return { kind: 'not_started', code, stage, call, path, errno };
}

function toUsage(raw: RawUsage, wallMs: number): Usage {
  return { userCpuMs: raw.userMicros / 1_000, systemCpuMs: raw.systemMicros / 1_000, wallMs, memoryBytesMax: raw.rssBytesMax };
}

function withLimit(limits: readonly LimitName[], by: Stop['by']): readonly LimitName[] {
  return by === 'caller' || by === 'destroyed' || limits.includes(by) ? limits : [...limits, by];
}
