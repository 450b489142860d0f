/** Subscriptions inside a transaction. */
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import { requireBox } from './box.ts';
import { SUBSCRIPTIONS_MAX } from './limits.ts';

export function subscribe(
  transaction: Transaction,
  pid: number,
  { topic, isPattern }: { readonly topic: string; readonly isPattern: boolean },
): void {
  requireBox(transaction, pid);
  const topics = transaction.mail.topicsOf(pid);
  if (topics.includes(topic)) return;
  if (topics.length >= SUBSCRIPTIONS_MAX) {
    throw new Fault(
      'quota_exceeded',
      `Cannot subscribe process ${pid}: it has ${topics.length} subscriptions, the limit is ${SUBSCRIPTIONS_MAX}`,
      {
        details: { pid, dim: 'subscriptions', used: topics.length, hard_limit: SUBSCRIPTIONS_MAX },
      },
    );
  }
  transaction.mail.subscribe(pid, topic, { isPattern });
  transaction.events.append({ pid, kind: 'kernel.mail.subscribed', payload: { topic } });
}

export function unsubscribe(transaction: Transaction, pid: number, topic: string): void {
  if (!transaction.mail.unsubscribe(pid, topic)) {
    throw new Fault('subscription_not_found', `Cannot unsubscribe process ${pid} from ${topic}: it is not subscribed`, {
      details: { pid, topic },
    });
  }
  transaction.events.append({ pid, kind: 'kernel.mail.unsubscribed', payload: { topic } });
}
