/** `process.kill`: politely, then surely, the whole tree. */
import type { JsonObject } from '@warren/protocol';
import { SIGNALS, type SignalName } from '@warren/sandbox';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { findCommand } from './command-view.ts';

export type KillInput = JsonObject & { readonly process_id: string; readonly signal?: string; readonly force_after?: number };

const FORCE_AFTER_S_DEFAULT = 10;
const FORCE_AFTER_S_MAX = 300;
/** For the answer to say how it is: a tree that got SIGKILL is gone soon. */
const LOOK_MS = 10_000;
const GLANCE_MS = 100;

/** Those that ask to end. Others, as SIGCONT or SIGUSR1, are no reason to use force later. */
const ENDING: ReadonlySet<SignalName> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT', 'SIGKILL']);

export async function kill(input: KillInput, context: HandlerContext): Promise<HandlerResult> {
  const signal = signalOf(input.signal ?? 'SIGTERM');
  const forceAfterS = Math.min(input.force_after ?? FORCE_AFTER_S_DEFAULT, FORCE_AFTER_S_MAX);
  const { background } = await context.sandbox();
  const { id, state } = findCommand(background, input.process_id);
  if (state !== 'running') {
    throw new CapabilityError('ProcessAlreadyExited', `Cannot send ${signal} to ${id}: it is ${state}`, {
      context: { process_id: id, state },
    });
  }
  await background.kill(id, signal, undefined);
  const isForced = ENDING.has(signal) && signal !== 'SIGKILL' && forceAfterS > 0;
  let command = await background.wait(id, signal === 'SIGKILL' ? LOOK_MS : isForced ? forceAfterS * 1_000 : GLANCE_MS, context.signal);
  let sent: SignalName = signal;
  if (isForced && command.state === 'running') {
    sent = 'SIGKILL';
    await background.kill(id, sent, undefined);
    command = await background.wait(id, LOOK_MS, context.signal);
  }
  return { output: { killed: command.state !== 'running', signal_sent: sent, process_id: id, state: command.state } };
}

function signalOf(text: string): SignalName {
  const name = text.startsWith('SIG') ? text : `SIG${text}`;
  if (Object.hasOwn(SIGNALS, name)) return name as SignalName; // It is a key of the table.
  throw new CapabilityError('InvalidInput', `Cannot send ${JSON.stringify(text.slice(0, 40))}: there is no such signal`, {
    context: { field: 'signal' },
  });
}
