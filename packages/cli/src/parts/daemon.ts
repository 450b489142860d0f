/** The daemon: the kernel, and the gateway in front of it. Opened in this order, and closed in the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openTracing, serve } from '@warren/gateway';
import { openKernel } from '@warren/kernel';
import { Fault, isFault } from '@warren/protocol';
import type { Daemon, DaemonRequest } from '../internal/daemon.ts';
import { nextCommand } from '../internal/state-path.ts';

/** How long the end of the daemon waits for a collector to take the last traces. */
const LAST_TRACES_MS = 2_000;

export async function startDaemon(request: DaemonRequest): Promise<Daemon> {
  const { stateDirectory, listen, recovery, version, log } = request;
  const tracing = await openTracing(request.env);
  const kernel = await openKernel({ directory: stateDirectory, recovery });
  const asked = Promise.withResolvers<{ readonly drainMs: number }>();
  try {
    const onStopAsked = (drainMs: number): void => asked.resolve({ drainMs });
    const served = await serve({ kernel, listen, version, log, tracing, onStopAsked });
    let stopping: Promise<void> | undefined;
    const stop = async (drainMs: number | undefined): Promise<void> => {
      await served.close({ drainMs });
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
