/** What a running daemon reads again: its certificate, its configuration, policies, packs and hooks. Each, whatever became of the others. */
import type { Served } from '@warren/gateway';
import type { Platform } from '@warren/platform';
import type { DaemonLog } from './daemon-log.ts';

export type Reloading = {
  readonly reloadConfig: Platform['reloadConfig'];
  readonly policies: { reload(): Promise<unknown> };
  readonly capabilities: { reload(): Promise<unknown> };
  readonly hooks: { reload(): Promise<unknown> };
};

/** Rejects with what failed: one as it is, several together. */
export async function reloadDaemon(served: Pick<Served, 'reload'>, platform: Reloading, log: DaemonLog): Promise<void> {
  const steps: readonly (() => unknown)[] = [
    () => served.reload(),
    () => reloadConfig(platform, log),
    () => platform.policies.reload(),
    () => platform.capabilities.reload(),
    () => platform.hooks.reload(),
  ];
  const failed: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failed.push(error);
    }
  }
  if (failed.length === 1) throw failed[0];
  if (failed.length > 1) throw new AggregateError(failed, failed.map(messageOf).join('; '));
}

async function reloadConfig(platform: Reloading, log: DaemonLog): Promise<void> {
  const read = await platform.reloadConfig();
  if (read.kind === 'refused') log.error('The configuration there is now cannot be used: the one before stays', { reason: read.why });
  else if (read.restart.length > 0) log.warn('What changed in the configuration takes a restart', { parts: read.restart.join(' ') });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
