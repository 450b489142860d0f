/** The daemon: the kernel, the platform on it, and the gateway in front of both. Opened in this order, and closed in the other. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTracing, serve } from '@warren/gateway';
import { openKernel } from '@warren/kernel';
import { openPlatform } from '@warren/platform';
import { Fault, isFault } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import type { Daemon, DaemonRequest } from '../internal/daemon.ts';
import { reloadDaemon } from '../internal/reload-daemon.ts';
import { runGit } from '../internal/run-git.ts';
import { runKeyCommand } from '../internal/run-key-command.ts';
import { nextCommand } from '../internal/state-path.ts';

/** How long the end of the daemon waits for a collector to take the last traces. */
const LAST_TRACES_MS = 2_000;

export async function startDaemon(request: DaemonRequest): Promise<Daemon> {
  const { stateDirectory, listen, recovery, version, log } = request;
  const asked = Promise.withResolvers<{ readonly drainMs: number }>();
  const opened = new AsyncDisposableStack();
  let stopping: Promise<void> | undefined;
  try {
    const tracing = await openTracing(request.env);
    opened.defer(() => sendLastTraces(tracing, request));
    const kernel = opened.use(await openKernel({ directory: stateDirectory, recovery }));
    const platform = opened.use(
      await openPlatform({
        ...{
          kernel,
          directory: stateDirectory,
          openSandboxes,
          version,
          runGit,
          runKeyCommand,
          environment: request.env,
        },
        say: (message) => log.info(message),
        warn: (message) => log.warn(message),
        onDefect: (defect) => log.error('A capability failed by a defect of its own', defect),
      }).catch((error: unknown) => {
        throw named('the policies, capabilities or audit of the state directory', error);
      }),
    );
    // Who asks once more, with less time, has it sooner.
    const onStopAsked = (drainMs: number): void => (stopping === undefined ? asked.resolve({ drainMs }) : void served.close({ drainMs }));
    const served = await serve({
      ...{ kernel, platform, listen, version, log, tracing, onStopAsked },
      ...request.web,
      delayFile: join(stateDirectory, 'sign-in-delays.json'),
    }).catch((error: unknown) => {
      throw isFault(error) ? withDoorAdvice(error, request) : named('its addresses', error);
    });
    let drain: number | undefined;
    opened.defer(() => served.close({ drainMs: drain }));
    return {
      addresses: served.addresses,
      fingerprint: served.fingerprint,
      stopRequested: asked.promise,
      reload: () => reloadDaemon(served, platform, log),
      stop({ drainMs } = {}) {
        if (stopping === undefined) {
          drain = drainMs;
          stopping = opened.disposeAsync(); // Every step is taken, whatever one of them throws.
        } else if (drainMs !== undefined) void served.close({ drainMs });
        return stopping;
      },
    };
  } catch (error) {
    await opened.disposeAsync().catch((also: unknown) => log.error('What was opened could not be closed', { reason: String(also) }));
    throw error;
  }
}

/** What no part foresaw, with the part it happened in. */
function named(part: string, error: unknown): unknown {
  if (isFault(error) || !(error instanceof Error) || 'code' in error) return error;
  return new Fault('internal', `Cannot open ${part}: ${error.message}`, {
    cause: error,
    details: { fix: 'set WARREN_DEBUG=1 to see where, and report it' },
  });
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

/** Of an address that cannot be had, or a certificate. */
function withDoorAdvice(error: Fault, { stateFlag: state }: DaemonRequest): Fault {
  const details: Readonly<Record<string, unknown>> = error.details ?? {};
  const fix =
    details['address'] === undefined
      ? `name files that belong together (--tls-cert and --tls-key), or let Warren make them: ${nextCommand('serve --tls self-signed', { state })}`
      : `choose another address, as in: ${nextCommand('serve --listen tcp:127.0.0.1:0', { state })} (any free port), or --no-tcp`;
  return new Fault(error.code, error.message, { details: { ...error.details, fix }, cause: error });
}
