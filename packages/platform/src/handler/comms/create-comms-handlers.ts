/**
 * `comms.*`: what agents say to each other, over the mail of their processes. An agent is reached at its newest live process; while it has none, what is sent to it is kept for
 * it and handed over when the next one begins to read.
 */
import { isOwnChannel, type Letter, type Message, type WorkspaceKernel } from '@warren/kernel';
import { isFault, type JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type Handlers } from '../../capability/handler.ts';
import { isoOf } from '../internal/iso-time.ts';
import { type AgentOf, agentsOf, isKnownAgent, newestProcess } from './agents-of.ts';
import { countKept, keepFor, takeKept } from './kept-messages.ts';
import { matchesName } from './name-pattern.ts';
import { peekMessages, waitToPeek } from './peek-messages.ts';

export const MESSAGE_KIND = 'comms.message';
const PRIORITIES = { low: -1, normal: 0, high: 1 } as const;

export type CommsParts = { readonly now: () => number };

export function createCommsHandlers({ now }: CommsParts = { now: () => Date.now() }): Handlers {
  return {
    'comms.send': async ({ to, message, priority }, context) => {
      const { mine, actor, callId } = context;
      const name = String(to);
      if (!(await isKnownAgent(mine, name)))
        throw new CapabilityError('RecipientNotFound', `Cannot send to ${name}: there is no agent of that name`);
      const letter = letterOf(actor.agent, message, priority, now());
      const process = await newestProcess(mine, name);
      const id = process === undefined ? undefined : await deliver(context, process.pid, letter);
      if (id !== undefined) return { output: { message_id: `${id}`, status: 'delivered', to: name } };
      await keepFor(mine, name, callId, letter);
      return { output: { message_id: callId, status: 'queued', to: name } };
    },

    'comms.broadcast': async ({ message, filter, priority }, context) => {
      const { mine, actor, callId, signal } = context;
      const letter = letterOf(actor.agent, message, priority, now());
      let [delivered, queued] = [0, 0];
      for (const { name, process } of await agentsOf(mine)) {
        signal.throwIfAborted();
        if (name === actor.agent || !isMeant(filter as JsonObject | undefined, { name, process })) continue; // The definition has checked it.
        try {
          if (process !== undefined && (await deliver(context, process.pid, letter)) !== undefined) {
            delivered++;
          } else {
            await keepFor(mine, name, callId, letter);
            queued++;
          }
        } catch (error) {
          if (!(error instanceof CapabilityError)) throw error; // One full box does not keep the others from hearing it.
        }
      }
      return { output: { message_id: callId, delivery_count: delivered + queued, delivered, queued } };
    },

    'comms.publish': async ({ channel, message, priority }, { mine, actor, callId }) => {
      const name = requireOpen(String(channel));
      const letter = letterOf(actor.agent, message, priority, now());
      const { delivered } = await mine.mail.publish(actor.pid, name, letter).catch(asCommsError);
      return { output: { message_id: callId, channel: name, delivery_count: delivered } };
    },

    'comms.subscribe': async ({ channel }, { mine, actor }) => {
      const name = requireOpen(String(channel));
      await openBox(mine, actor.pid);
      await mine.mail.subscribe(actor.pid, name).catch(asCommsError);
      return { output: { subscription_id: `${actor.pid}:${name}`, channel: name } };
    },

    'comms.unsubscribe': async ({ channel }, { mine, actor }) => {
      const wasThere = await mine.mail.unsubscribe(actor.pid, String(channel)).then(
        () => true,
        (error: unknown) => {
          if (isFault(error, 'subscription_not_found') || isFault(error, 'mailbox_not_found')) return false;
          return asCommsError(error);
        },
      );
      return { output: { unsubscribed: wasThere, channel: String(channel) } };
    },

    'comms.receive': async ({ limit, channel, acknowledge, wait }, { mine, actor, signal }) => {
      const { pid, agent } = actor;
      const topic = typeof channel === 'string' ? channel : undefined;
      await openBox(mine, pid);
      if (topic === undefined && agent !== '') await takeKept(mine, agent, pid);
      const asked = { limit: Number(limit), topic };
      const waitMs = Math.round(Number(wait) * 1_000);
      const { messages, remaining } = await (acknowledge === false
        ? peek(mine, pid, { ...asked, waitMs }, signal)
        : take(mine, pid, { ...asked, waitMs }, signal)
      ).catch(asCommsError);
      const names = await sendersOf(mine, messages);
      const kept = topic === undefined ? await countKept(mine, agent) : 0;
      return { output: { messages: messages.map((each) => toOutput(each, names)), remaining: remaining + kept } };
    },
  };
}

type Asked = { readonly limit: number; readonly topic: string | undefined; readonly waitMs: number };
type Received = { readonly messages: readonly Message[]; readonly remaining: number };

async function take({ mail }: WorkspaceKernel, pid: number, asked: Asked, signal: AbortSignal): Promise<Received> {
  const messages = await mail.receive(pid, asked, signal);
  if (messages.length > 0) await mail.acknowledge(pid, messages.map(({ id }) => id)); // biome-ignore format: one line
  return { messages, remaining: (await mail.findBox(pid))?.pending ?? 0 };
}

async function peek(mine: WorkspaceKernel, pid: number, { waitMs, ...asked }: Asked, signal: AbortSignal): Promise<Received> {
  const { count, messages } = await (waitMs === 0
    ? peekMessages(mine.mail, pid, asked)
    : waitToPeek(mine, pid, { waitMs, ...asked }, signal));
  return { messages, remaining: count - messages.length };
}

/** Undefined: the process has ended meanwhile. */
async function deliver({ mine, actor }: HandlerContext, pid: number, letter: Letter): Promise<number | undefined> {
  try {
    await openBox(mine, pid);
    return await mine.mail.send(actor.pid, pid, letter);
  } catch (error) {
    if ((await mine.processes.find(pid))?.state === 'DEAD') return undefined;
    return asCommsError(error);
  }
}

export async function openBox({ mail }: WorkspaceKernel, pid: number): Promise<void> {
  if ((await mail.findBox(pid)) !== undefined) return;
  await mail.createBox(pid).catch((error: unknown) => {
    if (!isFault(error, 'mailbox_exists')) throw error; // Somebody else made it meanwhile.
  });
}

function requireOpen(channel: string): string {
  if (/[\p{Cc}\p{Cs}]/u.test(channel)) {
    throw new CapabilityError('InvalidInput', 'Cannot use the channel: its name has a control character or half a character', {
      context: { field: 'channel' },
    });
  }
  if (isOwnChannel(channel)) throw new CapabilityError('CommsError', `Cannot use channel ${channel}: it is one of Warren's own`);
  return channel;
}

function asCommsError(error: unknown): never {
  if (isFault(error, 'mailbox_full')) throw new CapabilityError('MailboxFull', error.message, { cause: error });
  if (isFault(error) && error.code !== 'aborted' && error.code !== 'storage_full' && error.code !== 'store_failed') {
    throw new CapabilityError('CommsError', error.message, { cause: error });
  }
  throw error;
}

function letterOf(from: string, message: unknown, priority: unknown, sentAt: number): Letter {
  const name = String(priority) as keyof typeof PRIORITIES; // The definition lets no other pass.
  return { kind: MESSAGE_KIND, payload: { from, message: String(message), sent_at: sentAt }, priority: PRIORITIES[name] };
}

function isMeant(filter: JsonObject | undefined, { name, process }: AgentOf): boolean {
  const { name_pattern: pattern = '', policy_group: group = '' } = filter ?? {};
  if (typeof group === 'string' && group !== '' && process?.metadata['policy_group'] !== group) return false;
  return typeof pattern !== 'string' || pattern === '' || matchesName(pattern, name);
}

/** Whose the sending processes are: what a letter itself says of that, anybody who may send one can write. */
async function sendersOf({ processes }: WorkspaceKernel, messages: readonly Message[]): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  for (const { sender } of messages) {
    if (sender === undefined || names.has(sender)) continue;
    const agent = (await processes.find(sender))?.agent ?? '';
    names.set(sender, agent === '' ? `process ${sender}` : agent);
  }
  return names;
}

/** What other kinds of mail say is shown as it is. */
function toOutput({ id, payload, topic, postedAt, priority, kind, sender }: Message, names: ReadonlyMap<number, string>) {
  const isOurs = kind === MESSAGE_KIND;
  const sentAt = payload['sent_at'];
  return {
    message_id: `${id}`,
    // What no process sent comes from Warren, which kept it and knows.
    from: sender === undefined ? (isOurs ? String(payload['from'] ?? '') : '') : (names.get(sender) ?? ''),
    message: isOurs ? String(payload['message'] ?? '') : JSON.stringify({ kind, payload }),
    priority: priority > 0 ? 'high' : priority < 0 ? 'low' : 'normal',
    sent_at: isoOf(sender === undefined && isOurs && typeof sentAt === 'number' && sentAt >= 0 && sentAt <= postedAt ? sentAt : postedAt),
    channel: topic ?? null,
  };
}
