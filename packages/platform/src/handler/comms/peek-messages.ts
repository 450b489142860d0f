/** Messages of a box as they would be handed out, left where they are: looking at them counts as nothing, however often it is done. */
import type { Message, WorkspaceKernel } from '@warren/kernel';

type Mail = WorkspaceKernel['mail'];

const PAGE = 100;

export type Peeked = { readonly messages: readonly Message[]; readonly count: number };

export type Peeking = { readonly limit: number; readonly topic: string | undefined };

export async function peekMessages(mail: Mail, pid: number, { limit, topic }: Peeking): Promise<Peeked> {
  let best: readonly Message[] = [];
  let count = 0;
  for (let since = 0; ; ) {
    const page = await mail.replay(pid, { since, limit: PAGE });
    const meant = page.messages.filter((message) => topic === undefined || message.topic === topic);
    count += meant.length;
    best = [...best, ...meant].toSorted((one, other) => other.priority - one.priority || one.id - other.id).slice(0, limit);
    if (page.messages.length < PAGE) return { messages: best, count };
    since = page.nextCursor;
  }
}

/** Handing something out to wake up by it would begin to count its deliveries and its time; so it is the events of mail that wake. */
export async function waitToPeek(
  { mail, events }: WorkspaceKernel,
  pid: number,
  { waitMs, ...peeking }: Peeking & { readonly waitMs: number },
  signal: AbortSignal,
): Promise<Peeked> {
  const after = (await events.extent()).nextId - 1;
  let peeked = await peekMessages(mail, pid, peeking);
  if (peeked.count > 0) return peeked;
  const waiting = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  for await (const { kind } of events.subscribe({ after, gaps: 'skip' }, waiting)) {
    if (!kind.startsWith('kernel.mail.')) continue;
    peeked = await peekMessages(mail, pid, peeking);
    if (peeked.count > 0) break;
  }
  signal.throwIfAborted();
  return peeked;
}
