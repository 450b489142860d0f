/** `warren status`: whether the daemon of a state directory runs. */
import { formatDuration } from '@warren/protocol';
import { count } from '../internal/count.ts';
import { type DaemonStatus, findDaemon } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { formatLabelled } from '../internal/labelled.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { openServerClient, serverOf } from '../internal/server-link.ts';
import { formatSize } from '../internal/size.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import type { StateFlags } from '../program/state-options.ts';

/** Returns 1 when there is none. Throws `busy` when there is one that does not answer. */
export async function status(flags: StateFlags, host: Host): Promise<number> {
  const server = serverOf(flags, host);
  if (server !== undefined) {
    await using client = openServerClient(server, host);
    return await tell(await client.call('daemon.status', {}), 'server', server, flags, host);
  }
  const stateDirectory = statePath(host, flags.state);
  const link = await findDaemon(stateDirectory);
  if (link === undefined) {
    if (flags.json === true) await host.stdout.write(`${safeJson({ running: false, state_directory: stateDirectory }, 2)}\n`);
    else {
      await host.stdout.write(`No daemon runs on ${safeText(stateDirectory)}.\n`);
      await host.stderr.write(`  fix: ${nextCommand('serve --detach', flags)}\n`);
    }
    return 1;
  }
  const { client, status: found } = link;
  await client.close();
  return await tell(found, 'state', stateDirectory, flags, host);
}

async function tell(found: DaemonStatus, where: 'state' | 'server', place: string, flags: StateFlags, host: Host): Promise<number> {
  if (flags.json === true) {
    await host.stdout.write(`${safeJson({ running: true, [where === 'state' ? 'state_directory' : where]: place, ...found }, 2)}\n`);
    return 0;
  }
  await host.stdout.write(
    formatLabelled([
      ['daemon', found.state],
      ['pid', `${found.system_pid}`],
      ['version', safeText(found.version)],
      ['uptime', formatDuration(found.uptime_s * 1_000)],
      [where, safeText(place)],
      ...found.addresses.map((address): [string, string] => ['listens', safeText(address)]),
      ...(found.fingerprint === null ? [] : [['certificate', `SHA-256 ${safeText(found.fingerprint)}`] satisfies [string, string]]),
      ['store', `${formatSize(found.store_bytes)}, schema v${found.schema_version}, ${count(found.workspaces, 'workspace')}`],
      ['connections', `${found.connections}`],
    ]),
  );
  return 0;
}
