/** The daemon: the kernel, the platform on it, and the gateway in front of both. Opened in this order, and closed in the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openTracing, serve } from '@warren/gateway';
import { openKernel } from '@warren/kernel';
import { openPlatform, type Platform } from '@warren/platform';
import { Fault, isFault } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import type { Daemon, DaemonRequest } from '../internal/daemon.ts';
import { runGit } from '../internal/run-git.ts';
import { nextCommand } from '../internal/state-path.ts';

/** How long the end of the daemon waits for a collector to take the last traces. */
const LAST_TRACES_MS = 2_000;

export async function startDaemon(request: DaemonRequest): Promise<Daemon> {
  const { stateDirectory, listen, recovery, version, log } = request;
  const tracing = await openTracing(request.env);
  const kernel = await openKernel({ directory: stateDirectory, recovery });
  const asked = Promise.withResolvers<{ readonly drainMs: number }>();
  let platform: Platform | undefined;
  try {
    platform = await openPlatform({
      kernel,
      directory: stateDirectory,
      openSandboxes: () => openSandboxes(),
      version,
      runGit,
      say: (message) => log.info(message),
    });
    const acting = platform;
    const onStopAsked = (drainMs: number): void => asked.resolve({ drainMs });
    const served = await serve({ kernel, platform, listen, version, log, tracing, onStopAsked });
    let stopping: Promise<void> | undefined;
    const stop = async (drainMs: number | undefined): Promise<void> => {
      await served.close({ drainMs });
      await acting[Symbol.asyncDispose]();
      await kernel.close();
      await sendLastTraces(tracing, request);
    };
    return {
      addresses: served.addresses,
      stopRequested: asked.promise,
      stop({ drainMs } = {}) {
        stopping ??= stop(drainMs);
        return stopping;
      },
    };
  } catch (error) {
    await platform?.[Symbol.asyncDispose]();
    await kernel.close();
    throw isFault(error) ? withAdvice(error, request) : error;
  }
}

/** After everything else: a collector that is gone keeps nothing from being closed. The process ends, and with it what is still on its way. */
async function sendLastTraces(tracing: AsyncDisposable, { log }: DaemonRequest): Promise<void> {
  const late = sleep(LAST_TRACES_MS, 'late', { ref: false });
  const sent = tracing[Symbol.asyncDispose]().then(
    () => 'sent',
    (error: unknown) => (error instanceof Error ? error.message : 'unknown'),
  );
  const outcome = await Promise.race([sent, late]);
  if (outcome !== 'sent') log.warn('The last traces were not sent', { reason: outcome });
}

function withAdvice(error: Fault, { stateFlag }: DaemonRequest): Fault {
  const fix = `choose another address, as in: ${nextCommand('serve --listen tcp:127.0.0.1:0', stateFlag)} (any free port), or --no-tcp`;
  return new Fault(error.code, error.message, { details: { ...error.details, fix }, cause: error });
}
