/** The daemon: the kernel, and the gateway in front of it. Opened in this order, and closed in the other. */
import { serve } from '@warren/gateway';
import { openKernel } from '@warren/kernel';
import { Fault, isFault } from '@warren/protocol';
import type { Daemon, DaemonRequest } from '../internal/daemon.ts';

export async function startDaemon({ stateDirectory, listen, recovery, version, log }: DaemonRequest): Promise<Daemon> {
  const kernel = await openKernel({ directory: stateDirectory, recovery });
  const asked = Promise.withResolvers<{ readonly drainMs: number }>();
  try {
    const served = await serve({
      kernel,
      listen,
      version,
      log,
      onStopAsked: (drainMs) => asked.resolve({ drainMs }),
    });
    return {
      addresses: served.addresses,
      stopRequested: asked.promise,
      async stop(options) {
        await served.close(options);
        await kernel.close();
      },
    };
  } catch (error) {
    await kernel.close();
    throw isFault(error) ? withAdvice(error) : error;
  }
}

function withAdvice(error: Fault): Fault {
  const fix = 'choose another address, as in: warren serve --listen tcp:127.0.0.1:0 (any free port), or --no-tcp';
  return new Fault(error.code, error.message, { details: { ...error.details, fix }, cause: error });
}
