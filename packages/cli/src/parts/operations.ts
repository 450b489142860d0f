/** Who answers `warren kernel`: the daemon of the state directory or, when none runs, its store, opened only to look. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@warren/client';
import { Fault, isFault, parseWorkspaceId } from '@warren/protocol';
import { type DaemonLink, findDaemon, noDaemon } from '../internal/daemon-link.ts';
import { formatFailure } from '../internal/failure.ts';
import type { Host } from '../internal/host.ts';
import type { Operations } from '../internal/operations.ts';
import { openServerClient, serverOf } from '../internal/server-link.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import { withStoreAdvice } from '../internal/store-advice.ts';
import type { WorkspaceFlags } from '../program/state-options.ts';

/** Throws `not_found` when there is neither, and what opening the store throws. */
export async function openOperations(host: Host, flags: WorkspaceFlags): Promise<Operations> {
  parseWorkspaceId(flags.workspace);
  const server = serverOf(flags, host);
  if (server !== undefined) return operationsOf(openServerClient(server, host, flags.workspace, flags));
  const stateDirectory = statePath(host, flags.state);
  const link = await findDaemonOrNone(host, stateDirectory, flags.workspace);
  if (link !== undefined) return operationsOf(link.client);
  if (statSync(join(stateDirectory, 'kernel.db'), { throwIfNoEntry: false }) === undefined) {
    throw new Fault('not_found', `Cannot look at ${stateDirectory}: no daemon runs there, and there is no store`, {
      details: { path: stateDirectory, fix: nextCommand('serve --detach', flags) },
    });
  }
  try {
    const { openStoreOperations } = await import('./store-operations.ts');
    return await openStoreOperations(stateDirectory, flags.workspace, () =>
      noDaemon(stateDirectory, 'follow', nextCommand('serve --detach', flags)),
    );
  } catch (error) {
    throw withStoreAdvice(error, flags.state);
  }
}

function operationsOf(client: Client): Operations {
  return {
    kind: 'daemon',
    call: (...call) => client.call(...call),
    events: (...follow) => client.events(...follow),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Whoever has the store open and does not answer does not keep us from reading it. */
async function findDaemonOrNone(host: Host, stateDirectory: string, workspace: string): Promise<DaemonLink | undefined> {
  try {
    return await findDaemon(stateDirectory, { workspace });
  } catch (error) {
    if (!isFault(error, 'busy')) throw error;
    await host.stderr.write(formatFailure({ code: error.code, message: `${error.message}; reading its store instead` }));
    return undefined;
  }
}
