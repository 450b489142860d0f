import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { openTestGateway } from '../test-support/open-test-gateway.ts';
import { SupervisionFeed } from './supervision-feed.ts';

it('whoever leaves more untaken than it may is let go, and others are told everything', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const mine = on.kernel.workspace(DEFAULT_WORKSPACE);
  using feed = new SupervisionFeed({ mine, audit: on.platformAudit(), queueMax: 5 }, (error) => {
    throw error;
  });
  const { signal } = new AbortController();
  const [stuck, other] = [feed.follow(undefined, signal), feed.follow(undefined, signal)];
  await Promise.all([stuck.next(), other.next()]); // Where they begin.
  for (let count = 0; count < 6; count++) {
    await mine.alerts.send({ message: `${count}`, severity: 'info' });
    expect(await other.next()).toMatchObject({ value: { event: { type: 'health_alert', data: { message: `${count}` } } } });
  }
  await expect(stuck.next()).rejects.toThrow('Cannot follow events any longer: 5 were not taken');
  expect(feed.isFollowed).toBe(true);
  await other.return(undefined);
  expect(feed.isFollowed).toBe(false);
});
