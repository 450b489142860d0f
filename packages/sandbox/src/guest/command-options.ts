/** From what the caller of `exec` asks and what the backend gives as defaults to one checked request. */
import { Fault } from '@warren/protocol';
import type { ExecLimits, ExecOptions, Limits } from '../contract.ts';
import type { CommandOptions, ReadLimitCounts } from './command-run.ts';
import type { Rlimit } from './exec-request.ts';
import type { User } from './request-text.ts';

/** What the backend knows about its sandbox. */
export type GuestDefaults = {
  readonly cwd: string;
  /** Of every command, before its own entries. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: User;
  readonly umask?: number | undefined;
  /** Of the whole sandbox: for words, and to refuse commands that ask for more. */
  readonly limits: Limits;
  readonly readLimitCounts?: ReadLimitCounts | undefined;
};

const KILL_GRACE_MS = 2_000;
/** The longest a timer of Node can wait; above, it fires at once. */
const TIMER_MS_MAX = 2_147_483_647;

/** Throws `invalid_argument`, naming the option. What stands in argv and env is checked when the request is encoded. */
export function commandOptions(defaults: GuestDefaults, argv: readonly string[], options: ExecOptions): CommandOptions {
  const { stdin, timeoutMs, killGraceMs, outputBytesMax, limits } = options;
  checkNumber(timeoutMs, 'timeoutMs', 1, TIMER_MS_MAX);
  checkNumber(killGraceMs, 'killGraceMs', 0, TIMER_MS_MAX);
  checkInteger(outputBytesMax, 'outputBytesMax', 0);
  return {
    request: {
      argv,
      env: options.env === undefined ? defaults.env : { ...defaults.env, ...options.env },
      cwd: options.cwd ?? defaults.cwd,
      user: options.user ?? defaults.user,
      pty: options.pty,
      rlimits: limits === undefined ? undefined : rlimits(limits, defaults.limits),
      hasStdin: stdin !== undefined,
      umask: defaults.umask,
      endsTree: options.endsTree,
    },
    source: stdin === 'pipe' ? undefined : stdin,
    timeoutMs,
    killGraceMs: killGraceMs ?? KILL_GRACE_MS,
    outputBytesMax,
    signal: options.signal,
    limits,
    sandboxLimits: defaults.limits,
    readLimitCounts: defaults.readLimitCounts,
  };
}

function rlimits(limits: ExecLimits, sandbox: Limits): readonly Rlimit[] {
  const list: Rlimit[] = [];
  const { cpuSeconds, fileBytes, openFiles, addressBytes } = limits;
  checkInteger(cpuSeconds, 'limits.cpuSeconds', 1);
  checkInteger(fileBytes, 'limits.fileBytes', 0, sandbox.fileBytes);
  checkInteger(openFiles, 'limits.openFiles', 1, sandbox.openFiles);
  checkInteger(addressBytes, 'limits.addressBytes', 1);
  // SIGXCPU at the soft limit says which limit it was; SIGKILL a second later cannot be caught.
  if (cpuSeconds !== undefined) list.push({ name: 'cpu', soft: cpuSeconds, hard: cpuSeconds + 1 });
  if (fileBytes !== undefined) list.push({ name: 'fsize', soft: fileBytes, hard: fileBytes });
  if (openFiles !== undefined) list.push({ name: 'nofile', soft: openFiles, hard: openFiles });
  if (addressBytes !== undefined) list.push({ name: 'as', soft: addressBytes, hard: addressBytes });
  return list;
}

function checkInteger(value: number | undefined, name: string, min: number, max?: number | null): void {
  if (value !== undefined && !Number.isSafeInteger(value)) throw refuse(name, value, 'an integer');
  checkNumber(value, name, min, max ?? Number.MAX_SAFE_INTEGER);
}

function checkNumber(value: number | undefined, name: string, min: number, max: number): void {
  if (value !== undefined && !(value >= min && value <= max)) throw refuse(name, value, `from ${min} to ${max}`);
}

function refuse(name: string, value: number, what: string): Fault<'invalid_argument'> {
  return new Fault('invalid_argument', `Cannot run the command: ${name} is ${value}, it must be ${what}`);
}
