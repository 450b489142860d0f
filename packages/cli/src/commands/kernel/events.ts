/** What happened: the newest, or from one on; and with `--follow` what happens. */
import type { EventMessage } from '@warren/client';
import type { Paint } from '../../internal/color.ts';
import { painter } from '../../internal/color.ts';
import { safeJson, safeText } from '../../internal/safe-text.ts';
import { untilSignal } from '../../internal/until-signal.ts';
import type { EventsFlags } from '../../program/kernel-commands.ts';
import { interruptionTeller } from './follow-changes.ts';
import { type KernelContext, printJson, printJsonLine } from './kernel-context.ts';

const PAYLOAD_CHARACTERS_MAX = 120;

type Filter = { readonly pid?: number; readonly kind?: string };

export async function events(flags: EventsFlags, context: KernelContext): Promise<number> {
  const { pid, kind } = flags;
  const filter: Filter = { ...(pid !== undefined && { pid }), ...(kind !== undefined && { kind }) };
  return flags.follow === true ? await follow(flags, filter, context) : await list(flags, filter, context);
}

async function list({ since, limit, json }: EventsFlags, filter: Filter, { operations, host }: KernelContext): Promise<number> {
  const paint = painter(host, host.stdout);
  if (since === undefined) {
    const found = await operations.call('event.newest', { ...filter, limit });
    if (json === true) return await printJson(host, found);
    for (const event of found.events) await host.stdout.write(formatEvent(event, paint));
    if (found.events.length === 0) await host.stderr.write('warren: no events\n');
    return 0;
  }
  const found = await operations.call('kernel.events.tail', { ...filter, since_event_id: since, limit });
  if (json === true) return await printJson(host, found);
  for (const event of found.events) await host.stdout.write(formatEvent(event, paint));
  if (found.events.length === 0) await host.stderr.write(`warren: no events after ${since}\n`);
  else if (found.events.length === limit) await host.stderr.write(`warren: there may be more: --since ${found.next_cursor}\n`);
  return 0;
}

async function follow({ since, limit, json }: EventsFlags, filter: Filter, { operations, host }: KernelContext): Promise<number> {
  const paint = painter(host, host.stdout);
  const print = async (event: EventMessage): Promise<void> => {
    if (json === true) await printJsonLine(host, event);
    else await host.stdout.write(formatEvent(event, paint));
  };
  return await untilSignal(host, async (signal) => {
    let after = since;
    if (after === undefined) {
      const { next_event_id } = await operations.call('event.extent', {});
      const { events: newest } = await operations.call('event.newest', { ...filter, limit });
      for (const event of newest) await print(event);
      after = Math.max(next_event_id - 1, newest.at(-1)?.event_id ?? 0);
    }
    for await (const event of operations.events({ ...filter, after }, { signal, onInterruption: interruptionTeller(host) }))
      await print(event);
    return 0;
  });
}

function formatEvent(event: EventMessage, paint: Paint): string {
  const { event_id, ts, pid, kind, payload } = event;
  const text = safeJson(payload);
  const shown = text.length <= PAYLOAD_CHARACTERS_MAX ? text : `${text.slice(0, PAYLOAD_CHARACTERS_MAX - 1)}…`;
  const who = pid === null ? '' : ` pid=${pid}`;
  return `${paint('dim', `[${event_id}] ${new Date(ts * 1_000).toISOString()}`)}${who} ${paint('cyan', safeText(kind))} ${shown}\n`;
}
