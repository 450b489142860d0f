/** One run: the message goes into the session, the model says what comes next, and what it asks for goes through the gate as an agent of the workspace, until it asks for nothing more. */
import { randomBytes } from 'node:crypto';
import { Fault, isFault, type JsonObject, type JsonValue } from '@warren/protocol';
import { answerText, complete } from '../model/complete.ts';
import type { Model, ModelProvider, ToolCallContent } from '../model/model.ts';
import type { Session, Sessions } from '../session/sessions.ts';
import type { AgentSeat, WorkspaceBackend } from './backend.ts';
import { chooseModel } from './choose-model.ts';
import type { RunOptions, RunResult, WorkspaceConfig } from './embedded-platform.ts';
import { resultContent, sessionMessages } from './session-messages.ts';
import { withSkills } from './with-skills.ts';

export type RunParts = {
  readonly backend: WorkspaceBackend;
  readonly config: WorkspaceConfig;
  readonly providers: Readonly<Record<string, ModelProvider>>;
  /** Sessions of this workspace in which a run is under way. */
  readonly busy: Set<string>;
  readonly now: () => number;
};

const AGENT = 'assistant';
const MESSAGE_CHARACTERS_MAX = 1_000_000;
const TURNS_MAX = 200;
const CALLS_OF_A_TURN_MAX = 64;

export async function runAgent(parts: RunParts, options: RunOptions, signal: AbortSignal): Promise<RunResult> {
  const { busy, now } = parts;
  const { hooks, sessions } = parts.backend;
  signal.throwIfAborted();
  const { message } = options;
  if (typeof message !== 'string' || message === '' || message.length > MESSAGE_CHARACTERS_MAX)
    throw new Fault('invalid_argument', `Cannot run: the message is not 1 to ${MESSAGE_CHARACTERS_MAX} characters`, {
      details: { field: 'message' },
    });
  const { provider, model, asked } = await chooseModel(parts.providers, parts.config, options);
  const sessionId = options.sessionId ?? `session_${now()}_${randomBytes(4).toString('hex')}`;
  if (busy.has(sessionId))
    throw new Fault('busy', `Cannot run: a run is under way in session ${sessionId}`, { details: { session: sessionId } });
  busy.add(sessionId);
  try {
    const session = await openOrCreate(sessions, sessionId);
    await hooks.run('session_start', { sessionId }, signal);
    try {
      await hooks.run('before_agent_start', { sessionId, message, model }, signal);
      const { response, by } = await think({ ...parts, session, model: asked }, options, signal);
      const slash = by.indexOf('/');
      const other = { provider: by.slice(0, slash), model: by.slice(slash + 1), fallbackUsed: true };
      const result = { response, sessionId, ...(by === asked.name ? { provider, model, fallbackUsed: false } : other) };
      await hooks.run('after_agent_end', { sessionId, result }, signal);
      return result;
    } finally {
      await hooks.run('session_end', { sessionId }); // Also of a run that failed.
    }
  } finally {
    busy.delete(sessionId);
  }
}

type ThinkParts = RunParts & { readonly session: Session; readonly model: Model };

/** `by`: which model said it. */
async function think(
  parts: ThinkParts,
  options: RunOptions,
  signal: AbortSignal,
): Promise<{ readonly response: string; readonly by: string }> {
  const { backend, session, model, config } = parts;
  await session.append([{ type: 'message', role: 'user', content: options.message }]);
  const seat = await backend.openAgent(AGENT);
  try {
    const system = withSkills(options.systemPrompt ?? config.systemPrompt, await backend.skills.offered());
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      signal.throwIfAborted();
      const request = {
        system,
        messages: sessionMessages(session.context()),
        tools: await seat.tools(),
        cache: { key: session.id },
      };
      const turn = await abortable(
        complete(model, request, signal, (part) => {
          if (part.type === 'text' || part.type === 'retry') options.onEvent?.(part);
        }),
        signal,
      );
      const { content } = turn.message;
      const meta = { model: turn.model, finish: turn.reason, usage: turn.usage, cost: turn.cost };
      await session.append([{ type: 'message', role: 'assistant', content, meta }]);
      const calls = content.filter((part) => part.type === 'tool_call' || part.type === 'malformed_call');
      if (calls.length === 0) return { response: answerText(turn), by: turn.model };
      if (calls.length > CALLS_OF_A_TURN_MAX)
        throw new Fault('too_large', `Cannot run: the model asks for ${calls.length} calls at once, the limit is ${CALLS_OF_A_TURN_MAX}`);
      for (const call of calls) {
        const result = call.type === 'tool_call' ? await callTool(seat, call, options, signal) : malformed(call.reason);
        const isError = isObject(result) && result['error'] !== undefined;
        await session.append([{ type: 'message', role: 'tool', content: [resultContent(call, JSON.stringify(result), isError)] }]);
      }
    }
    throw new Fault('too_large', `Cannot go on: the run has taken ${TURNS_MAX} turns, the limit`);
  } catch (error) {
    signal.throwIfAborted(); // What failed because of that says less than why it was ended.
    throw error;
  } finally {
    await seat.close().catch(() => {}); // It ended by itself, or the workspace did.
  }
}

/** Whatever the gate says is the result. */
async function callTool(
  seat: AgentSeat,
  { name, input }: ToolCallContent,
  { onEvent }: RunOptions,
  signal: AbortSignal,
): Promise<JsonValue> {
  const toolName = seat.capabilityOf(name);
  onEvent?.({ type: 'tool_call', toolName, input });
  const result = await seat.call(name, input, signal);
  onEvent?.({ type: 'tool_result', toolName, result });
  return result;
}

function malformed(reason: string): JsonObject {
  return { error: { type: 'InvalidInput', message: `Nothing was called: ${reason}` } };
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function openOrCreate(sessions: Sessions, id: string): Promise<Session> {
  try {
    return await sessions.open(id);
  } catch (error) {
    if (!isFault(error, 'not_found')) throw error;
    return await sessions.create(id, { agent: AGENT });
  }
}

/** A provider that does not listen to the signal is not waited for. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  work.catch(() => {}); // It may fail when nobody waits any more.
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
