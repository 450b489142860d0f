/** `warren stop`: asks the daemon to end, and waits until it has. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readDiscovery } from '@warren/client';
import { Fault, formatDuration, isFault } from '@warren/protocol';
import { ANSWER_MS_MAX, findDaemon } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { requireHere } from '../internal/server-link.ts';
import { findHolder, isRunning } from '../internal/state-holder.ts';
import { statePath } from '../internal/state-path.ts';
import type { StopFlags } from '../program/daemon-commands.ts';

/** Nobody tells of the end of a process that is not one's child: it is looked for so often. */
const LOOK_MS = 20;
const DRAIN_MS = 10_000;
/** For what comes after the drain, where nothing else was said. */
const ENDING_MS = 20_000;

/** Returns 0 when it is gone, also when it was not there. */
export async function stop(flags: StopFlags, host: Host): Promise<number> {
  requireHere(flags, host, 'stop the daemon');
  const stateDirectory = statePath(host, flags.state);
  const timeoutMs = flags.timeout ?? (flags.drain ?? DRAIN_MS) + ENDING_MS;
  return await interruptible(host, async (signal) => {
    const pid = await askToStop(stateDirectory, flags.drain, timeoutMs);
    if (pid === undefined) {
      if (flags.json === true) await host.stdout.write(`${safeJson({ stopped: false, reason: 'not running' }, 2)}\n`);
      else await host.stdout.write(`No daemon runs on ${safeText(stateDirectory)}.\n`);
      return 0;
    }
    await waitUntilGone(pid, stateDirectory, timeoutMs, signal);
    if (flags.json === true) await host.stdout.write(`${safeJson({ stopped: true, pid }, 2)}\n`);
    else await host.stdout.write(`Stopped process ${pid}.\n`);
    return 0;
  });
}

/** Returns who was asked. Undefined when there is nobody. One that stops already goes on as it was told to, unless this is about how long. */
async function askToStop(stateDirectory: string, drainMs: number | undefined, timeoutMs: number): Promise<number | undefined> {
  try {
    const link = await findDaemon(stateDirectory, { answerMs: Math.min(timeoutMs, ANSWER_MS_MAX) });
    if (link === undefined) return undefined;
    await using client = link.client;
    const isAsked = link.status.state === 'draining' && drainMs === undefined;
    if (!isAsked) await client.call('daemon.stop', { drain_ms: drainMs ?? DRAIN_MS });
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
        details: {
          pid,
          fix: `wait longer: warren stop --timeout 5m; or cut off what it does: warren stop --drain 0s; or, if it hangs: kill -KILL ${pid}`,
        },
      });
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
}
