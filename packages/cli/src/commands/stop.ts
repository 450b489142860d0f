/** `warren stop`: asks the daemon to end, and waits until it has. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, formatDuration, isFault } from '@warren/protocol';
import { ANSWER_MS_MAX, findDaemon } from '../internal/daemon-link.ts';
import { readDiscovery } from '../internal/discovery.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { requireHere } from '../internal/server-link.ts';
import { findHolder, isRunning } from '../internal/state-holder.ts';
import { statePath } from '../internal/state-path.ts';
import type { StopFlags } from '../program/daemon-commands.ts';

/** Nobody tells of the end of a process that is not one's child: it is looked for so often. */
const LOOK_MS = 20;
/** Of the time there is, what the daemon may use to finish; the rest is for ending. */
const DRAIN_SHARE = 0.8;
/** The contract allows no more. */
const DRAIN_MS_MAX = 3_600_000;

/** Returns 0 when it is gone, also when it was not there. */
export async function stop(flags: StopFlags, host: Host): Promise<number> {
  requireHere(flags, host, 'stop the daemon');
  const stateDirectory = statePath(host, flags.state);
  return await interruptible(host, async (signal) => {
    const pid = await askToStop(stateDirectory, flags.timeout);
    if (pid === undefined) {
      if (flags.json === true) await host.stdout.write(`${safeJson({ stopped: false, reason: 'not running' }, 2)}\n`);
      else await host.stdout.write(`No daemon runs on ${safeText(stateDirectory)}.\n`);
      return 0;
    }
    await waitUntilGone(pid, stateDirectory, flags.timeout, signal);
    if (flags.json === true) await host.stdout.write(`${safeJson({ stopped: true, pid }, 2)}\n`);
    else await host.stdout.write(`Stopped process ${pid}.\n`);
    return 0;
  });
}

/** Returns who was asked. Undefined when there is nobody. */
async function askToStop(stateDirectory: string, timeoutMs: number): Promise<number | undefined> {
  try {
    const link = await findDaemon(stateDirectory, { answerMs: Math.min(timeoutMs, ANSWER_MS_MAX) });
    if (link === undefined) return undefined;
    await using client = link.client;
    await client.call('daemon.stop', { drain_ms: Math.min(Math.floor(timeoutMs * DRAIN_SHARE), DRAIN_MS_MAX) });
    return link.status.system_pid;
  } catch (error) {
    if (!isFault(error, 'busy')) throw error;
    const pid = hangingDaemon(stateDirectory);
    if (pid === undefined) throw error;
    process.kill(pid, 'SIGTERM');
    return pid;
  }
}

/** A daemon that does not answer: who says so in its file and holds the lock besides. A program that only has the store open is none. */
function hangingDaemon(stateDirectory: string): number | undefined {
  const holder = findHolder(stateDirectory);
  return holder !== undefined && readDiscovery(stateDirectory)?.pid === holder ? holder : undefined;
}

async function waitUntilGone(pid: number, stateDirectory: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (isRunning(pid) || findHolder(stateDirectory) === pid) {
    if (performance.now() >= deadline) {
      throw new Fault('deadline', `Cannot stop the daemon in ${formatDuration(timeoutMs)}: process ${pid} still finishes what it does`, {
        details: { pid, fix: `warren stop --timeout 5m, or lose what is not finished: kill -KILL ${pid}` },
      });
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
}
