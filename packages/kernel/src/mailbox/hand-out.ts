/** Messages on their way out of a box: handed out and hidden, given back, or done with. */
import type { Transaction } from '../store/store.ts';
import type { BoxRow, MessageRow, Visible } from '../store/tables/mail-table.ts';
import { mergeLabels } from '../taint/labels.ts';
import { addLabels } from '../taint/process-labels.ts';
import { requireBox } from './box.ts';
import { idsPayload } from './ids-payload.ts';
import { DEAD_MAX } from './limits.ts';

export type Taking = { readonly limit: number; readonly visibilityMs: number; readonly topic: string | undefined };

export type Taken = {
  readonly messages: readonly MessageRow[];
  readonly hiddenUntil: number;
  /** When there will be something without anybody sending anything; only told when there was nothing. */
  readonly nextVisibleAt: number | undefined;
};

/** Hands out what can be, and hides it. What was handed out too often becomes a dead letter instead. */
export function take(transaction: Transaction, pid: number, { limit, visibilityMs, topic }: Taking): Taken {
  const box = requireBox(transaction, pid);
  const visible = findLiving(transaction, box, { limit, topic });
  const { messages } = visible;
  const hiddenUntil = transaction.now + visibilityMs;
  if (messages.length === 0) return { messages, hiddenUntil, nextVisibleAt: transaction.mail.nextVisibleAt(pid) };
  transaction.mail.deliver(box, visible, { hiddenUntil, keptUntil: transaction.now + box.retentionMs });
  const payload = { ...idsPayload(messages.map(({ id }) => id)), hidden_until: hiddenUntil };
  const causationId = transaction.events.append({ pid, kind: 'kernel.mail.received', payload });
  labelReader(transaction, pid, messages, causationId);
  return { messages: messages.map((message) => handedOut(transaction, message)), hiddenUntil, nextVisibleAt: undefined };
}

/** Ends because each round that found a dead one leaves fewer. */
function findLiving(
  transaction: Transaction,
  box: BoxRow,
  options: { readonly limit: number; readonly topic: string | undefined },
): Visible {
  for (;;) {
    const visible = transaction.mail.visible(box, options);
    const spent = visible.messages.filter(({ deliveries }) => deliveries >= box.deliveriesMax);
    if (spent.length === 0) return visible;
    bury(transaction, box.pid, spent);
  }
}

function bury(transaction: Transaction, pid: number, messages: readonly MessageRow[]): void {
  transaction.mail.bury(pid, messages, DEAD_MAX);
  for (const { id, sender, kind, topic, deliveries } of messages) {
    const payload = { message_id: id, sender: sender ?? null, kind, topic: topic ?? null, deliveries };
    transaction.events.append({ pid, kind: 'kernel.mail.dead', payload });
  }
}

/** Gives back what `take` handed out and nobody saw. */
export function giveBack(transaction: Transaction, pid: number, { messages, hiddenUntil }: Taken): void {
  if (transaction.mail.findBox(pid) === undefined) return;
  const ids = transaction.mail.giveBack(pid, messages.map(({ id }) => id), hiddenUntil); // biome-ignore format: one line
  if (ids.length > 0) transaction.events.append({ pid, kind: 'kernel.mail.returned', payload: idsPayload(ids) });
}

/** Done with these. Returns how many there were. */
export function acknowledge(transaction: Transaction, pid: number, messageIds: readonly number[]): number {
  const { ids } = transaction.mail.remove(pid, messageIds);
  if (ids.length === 0) requireBox(transaction, pid);
  else transaction.events.append({ pid, kind: 'kernel.mail.acknowledged', payload: idsPayload(ids) });
  return ids.length;
}

/** By id, hidden or not. What was not handed out yet now is, and stays visible. */
export function replay(
  transaction: Transaction,
  pid: number,
  { since, limit }: { readonly since: number; readonly limit: number },
): readonly MessageRow[] {
  const box = requireBox(transaction, pid);
  const messages = transaction.mail.after(pid, since, limit);
  const fresh = messages.filter(({ deliveredAt }) => deliveredAt === undefined);
  labelReader(transaction, pid, messages);
  if (fresh.length === 0) return messages;
  transaction.mail.deliver(
    box,
    { messages: fresh, waitingFrom: box.waitingFrom },
    { hiddenUntil: undefined, keptUntil: transaction.now + box.retentionMs },
  );
  const payload = { ...idsPayload(fresh.map(({ id }) => id)), hidden_until: null };
  transaction.events.append({ pid, kind: 'kernel.mail.received', payload });
  return messages.map((message) => (message.deliveredAt === undefined ? handedOut(transaction, message) : message));
}

function handedOut(transaction: Transaction, message: MessageRow): MessageRow {
  return { ...message, deliveredAt: transaction.now, deliveries: message.deliveries + 1 };
}

/** Whoever is handed messages carries what they carry. */
export function labelReader(transaction: Transaction, pid: number, messages: readonly MessageRow[], causationId?: number): void {
  if (messages.every(({ labels }) => labels === undefined)) return;
  addLabels(transaction, pid, mergeLabels(...messages.map(({ labels }) => labels)) ?? [], { causationId });
}
