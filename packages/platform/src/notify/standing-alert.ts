import type { Alerts } from '@warren/kernel';

/** Who acknowledges what is no longer so. */
const BY = 'warren';
const MESSAGE_LENGTH_MAX = 4_096;

/**
 * An alert of Warren itself that waits as long as something is as it says: sent once, replaced when the message is another, acknowledged when there is none any more. Those
 * of a life before are known by `about`.
 */
export async function tellStanding(
  alerts: Pick<Alerts, 'list' | 'send' | 'acknowledge'>,
  about: string,
  message: string | undefined,
): Promise<void> {
  const said = message?.replace(/[^\P{Cc}\n]|\p{Cs}/gu, '?').slice(0, MESSAGE_LENGTH_MAX);
  const { alerts: pending } = await alerts.list({ status: 'pending', agent: '' }, { limit: 1_000 });
  const ours = pending.filter(({ context }) => context['about'] === about);
  if (said !== undefined && !ours.some((each) => each.message === said)) {
    await alerts.send({ message: said, severity: 'critical', context: { about } });
  }
  for (const { id } of ours.filter((each) => each.message !== said)) await alerts.acknowledge(id, BY);
}
