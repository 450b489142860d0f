/** What `warren run` ends with, and says, for each way a command can end. The help of `run` lists the same. */
import { constants } from 'node:os';
import type { Exit, LimitName, SignalName } from '@warren/sandbox';
import { safeText } from './safe-text.ts';

/** Our own failure: nothing ran, or we cannot say how it ended. */
export const OWN_FAILURE = 125;
/** Wrong usage of any other command than `run`. */
export const USAGE_FAILURE = 2;

const STOPPED_BY: Readonly<Record<LimitName | 'caller' | 'destroyed', number>> = {
  deadline: 124, // As timeout(1).
  cpu: 128 + constants.signals.SIGXCPU,
  file_size: 128 + constants.signals.SIGXFSZ,
  // The others end the whole tree with SIGKILL.
  memory: 128 + constants.signals.SIGKILL,
  pids: 128 + constants.signals.SIGKILL,
  open_files: 128 + constants.signals.SIGKILL,
  disk: 128 + constants.signals.SIGKILL,
  output: 128 + constants.signals.SIGKILL,
  caller: 128 + constants.signals.SIGKILL,
  destroyed: 128 + constants.signals.SIGKILL,
};

/** The flag that sets a limit, for the advice. */
const FLAGS: Readonly<Record<LimitName, string>> = {
  memory: '--memory',
  cpu: '--cpus',
  pids: '--pids',
  file_size: '--file-size',
  open_files: '--open-files',
  disk: '--disk',
  deadline: '--timeout',
  output: '--output-limit',
};

export function exitCodeOf(exit: Exit): number {
  switch (exit.kind) {
    case 'exited':
    case 'not_started':
      return exit.code;
    case 'signalled':
      return exitCodeOfSignal(exit.signal);
    case 'stopped':
      return STOPPED_BY[exit.by];
    default:
      return exit satisfies never;
  }
}

export function exitCodeOfSignal(signal: SignalName): number {
  return 128 + constants.signals[signal];
}

/** One line for what the exit code alone does not say; undefined when there is nothing to add. `command` is argv[0]. */
export function explainExit(exit: Exit, command: string): string | undefined {
  if (exit.kind === 'not_started') return explainNotStarted(exit, command);
  if (exit.kind === 'stopped')
    return `stopped by ${exit.by}: ${safeText(exit.detail)}${isLimit(exit.by) ? ` (set another limit with ${FLAGS[exit.by]})` : ''}`;
  if (exit.limitsHit.length === 0) return undefined;
  return `reached a limit: ${exit.limitsHit.map((name) => `${name} (${FLAGS[name]})`).join(', ')}`;
}

function isLimit(by: LimitName | 'caller' | 'destroyed'): by is LimitName {
  return by !== 'caller' && by !== 'destroyed';
}

function explainNotStarted(exit: Extract<Exit, { kind: 'not_started' }>, command: string): string {
  const name = safeText(command);
  if (exit.code === 127) return `cannot run "${name}": there is no such program in the sandbox`;
  if (exit.code === 126) return `cannot run "${name}": it is not executable (${safeText(exit.errno)})`;
  const where = exit.path === '' ? '' : ` of "${safeText(exit.path)}"`;
  return `cannot run "${name}": ${safeText(exit.call)}${where} failed with ${safeText(exit.errno)} (stage ${safeText(exit.stage)})`;
}
