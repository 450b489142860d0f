/** Who holds the state directory decides: nobody, so this process does; a daemon, so everything goes through it; or another program, which is refused. */
import { Fault, isFault } from '@warren/protocol';
import type { LibraryBackend } from './backend.ts';
import { type OpenEmbeddedOptions, openEmbedded } from './embedded/open-embedded.ts';

export type OpenBackendOptions = OpenEmbeddedOptions & {
  /** Whether to leave the directory alone where no daemon runs. */
  readonly requiresDaemon: boolean;
};

export async function openBackend(options: OpenBackendOptions): Promise<LibraryBackend> {
  const { directory, requiresDaemon } = options;
  try {
    if (!requiresDaemon) return await openEmbedded(options);
  } catch (error) {
    if (!isFault(error, 'busy')) throw error;
    const { openDaemon } = await import('./daemon/open-daemon.ts');
    const daemon = await openDaemon(options);
    if (daemon !== undefined) return daemon;
    throw heldByOther(error);
  }
  const { openDaemon } = await import('./daemon/open-daemon.ts');
  const daemon = await openDaemon(options);
  if (daemon !== undefined) return daemon;
  throw new Fault('unavailable', `Cannot use ${directory}: no daemon runs on it, and this platform requires one`, {
    details: { path: directory, is_sent: false, fix: 'warren serve --detach' },
  });
}

function heldByOther(error: Fault): Fault {
  return new Fault(
    'busy',
    `${error.message} and is no daemon that answers; a state directory is for one program at a time: use another stateDir, or have one \`warren serve\` hold it and all programs go through it`,
    {
      details: { ...error.details },
      cause: error,
    },
  );
}
