/** `warren call`: one call of a capability as an agent. Its answer is all of standard output. */
import type { Client } from '@warren/client';
import { DEFAULT_WORKSPACE, Fault, isFault, type JsonObject } from '@warren/protocol';
import type { CallAnswer } from '@warren/protocol/contract';
import { readCallInput } from '../internal/call-input.ts';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { processOfAgent } from '../internal/process-of-agent.ts';
import { readJsonOption } from '../internal/read-json-option.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { shellWord } from '../internal/shell-words.ts';
import { nextCommand } from '../internal/state-path.ts';
import { isoMinute } from '../internal/time.ts';
import type { CallFlags, CallResultFlags } from '../program/agent-commands.ts';
import type { WorkspaceFlags } from '../program/state-options.ts';

const WAIT_MS = 3_600_000;
const PENDING = 3;

export async function call(capability: string, words: readonly string[], flags: CallFlags, host: Host): Promise<number> {
  return await interruptible(host, async (signal) => {
    await using client = await openWorkspaceClient(flags, host, 'call a capability');
    const pid = await processOf(client, flags);
    const input = readCallInput(words, await schemaOf(client, capability), await readJsonOption(flags.input, '--input', host));
    return await tellAnswer(await makeCall(client, { pid, capability, input }, flags, signal), flags, host);
  });
}

type Made = { readonly pid: number; readonly capability: string; readonly input: JsonObject };

/** When no answer comes, the fault says what is known of the call. */
export async function makeCall(client: Client, made: Made, flags: CallFlags, signal: AbortSignal): Promise<CallAnswer> {
  const waitMs = flags.wait === true ? WAIT_MS : flags.wait;
  const request = {
    ...made,
    ...(flags.key !== undefined && { idempotency_key: flags.key }),
    ...(flags.reason !== undefined && { reasoning: flags.reason }),
    ...(flags.taint !== undefined && { taint: [...flags.taint] }),
    ...(waitMs !== undefined && { on_ask: 'wait' as const, wait_ms: waitMs }),
    ...(flags.timeout !== undefined && { deadline_ms: flags.timeout }),
  };
  return await client.call('call.make', request, { signal }).catch((error: unknown) => {
    throw signal.aborted ? leftAlone(made.capability, flags, error) : ofUnknownOutcome(made.capability, flags, error);
  });
}

/** Told to end before the answer came: the daemon notices, and cancels what can be. */
function leftAlone(capability: string, flags: CallFlags, cause: unknown): Fault {
  return new Fault(
    'aborted',
    `the call is cancelled; if it waits for an approval, it goes on waiting. What came of it: ${lookCommand(capability, flags)}`,
    { cause },
  );
}

/** The connection broke after the call had left: it may have been carried out, and calling again may do it twice. What has a key is not done twice. */
function ofUnknownOutcome(capability: string, flags: CallFlags, error: unknown): unknown {
  if (!isFault(error, 'unavailable') || error.details?.['is_sent'] !== true) return error;
  const [why, fix] =
    flags.key === undefined
      ? ['it may be carried out or not', `before you call again: ${lookCommand(capability, flags)}`]
      : ['the same call with the same --key is not done twice', 'the same command again'];
  return new Fault('unavailable', `${error.message}; what came of the call is unknown: ${why}`, {
    details: { ...error.details, outcome: 'unknown', fix },
    cause: error,
  });
}

function lookCommand(capability: string, flags: CallFlags): string {
  const workspace = flags.workspace === DEFAULT_WORKSPACE ? '' : ` --workspace ${shellWord(flags.workspace)}`;
  return nextCommand(`audit search --action ${shellWord(capability)} --limit 1${workspace}`, flags);
}

export async function callResult(callId: string, flags: CallResultFlags, host: Host): Promise<number> {
  return await interruptible(host, async (signal) => {
    await using client = await openWorkspaceClient(flags, host, 'show a call');
    const pid = flags.pid ?? (await callerOf(client, callId));
    const request = { pid, call_id: callId, ...(flags.wait !== undefined && { wait_ms: flags.wait }) };
    return await tellAnswer(await client.call('call.result', request, { signal }), flags, host);
  });
}

/** Every call has an entry in the audit from when it is asked about or answered. */
async function callerOf(client: Client, callId: string): Promise<number> {
  const { entries } = await client.call('audit.search', { call_id: callId });
  const pid = entries.map(({ actor }) => actor.pid).find((each) => each !== null);
  if (pid !== undefined && pid !== null) return pid;
  throw new Fault('not_found', `Cannot show call ${callId.slice(0, 40)}: there is no such call`);
}

async function processOf(client: Client, { as, pid }: CallFlags): Promise<number> {
  if (pid !== undefined && as !== undefined) throw new Fault('invalid_argument', 'Cannot call: give --as AGENT or --pid PID, not both');
  if (pid !== undefined) return pid;
  if (as === undefined) throw new Fault('invalid_argument', 'Cannot call: say as whom, with --as AGENT or --pid PID');
  return await processOfAgent(client, as);
}

/** Of a capability that does not exist nothing is known: the gate says so, with those that are close to it, and it is recorded. */
async function schemaOf(client: Client, capability: string): Promise<JsonObject> {
  try {
    return (await client.call('capability.describe', { name: capability })).input_schema;
  } catch (error) {
    if (isFault(error, 'not_found')) return {};
    throw error;
  }
}

/** Its output on standard output, and everything else beside it. Returns the exit code. */
export async function tellAnswer(answer: CallAnswer, flags: WorkspaceFlags, host: Host): Promise<number> {
  const { state, output, error, approval_id, expires_at } = answer;
  if (flags.json === true) await host.stdout.write(`${safeJson(answer, 2)}\n`);
  else if (state === 'done') await host.stdout.write(`${safeJson(output, 2)}\n`);
  if (state === 'pending') {
    const until = expires_at === null ? '' : `, until ${isoMinute(expires_at)}`;
    await host.stderr.write(
      `warren: a person has to approve this call first${until}\n  approve: ${nextCommand(`approvals approve ${approval_id}`, flags)}\n  then: ${nextCommand(`call result ${answer.call_id} --wait 30s`, flags)}\n`,
    );
    return PENDING;
  }
  if (error === null) return 0;
  await host.stderr.write(`warren: ${safeText(`${error.type}: ${error.message}`)}\n`);
  for (const { description, capability } of error.recovery) {
    await host.stderr.write(`  ${safeText(description)}${capability === undefined ? '' : ` (${safeText(capability)})`}\n`);
  }
  return 1;
}
