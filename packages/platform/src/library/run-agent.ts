/** One run: the message goes into the session, the model says what comes next, and what it asks for goes through the gate as an agent of the workspace, until it asks for nothing more. */
import { randomBytes } from 'node:crypto';
import type { Answer, GrantSet } from '@warren/kernel';
import { Fault, isFault, type JsonObject, type JsonValue, type WorkspaceId } from '@warren/protocol';
import type { Hooks } from '../hook/hooks.ts';
import type { Platform } from '../platform.ts';
import type { Session, Sessions } from '../session/sessions.ts';
import type { RunOptions, RunResult, WorkspaceConfig } from './embedded-platform.ts';
import type { ModelProvider, ModelTurn } from './model-provider.ts';

export type RunParts = {
  readonly id: WorkspaceId;
  readonly platform: Platform;
  readonly sessions: Sessions;
  readonly hooks: Hooks;
  readonly config: WorkspaceConfig;
  readonly providers: Readonly<Record<string, ModelProvider>>;
  /** Sessions in which a run is under way. */
  readonly busy: Set<string>;
  readonly now: () => number;
};

const AGENT = 'assistant';
/** What policy says decides; it reaches no host unless somebody grants one. */
const GRANTS: Partial<GrantSet> = { tools: ['*'], paths: [{ prefix: '/', mode: 'rw' }], hosts: [] };
const MESSAGE_CHARACTERS_MAX = 1_000_000;
const TURNS_MAX = 200;
const CALLS_OF_A_TURN_MAX = 64;

export async function runAgent(parts: RunParts, options: RunOptions, signal: AbortSignal): Promise<RunResult> {
  const { hooks, busy, now } = parts;
  signal.throwIfAborted();
  const { message } = options;
  if (typeof message !== 'string' || message === '' || message.length > MESSAGE_CHARACTERS_MAX)
    throw new Fault('invalid_argument', `Cannot run: the message is not 1 to ${MESSAGE_CHARACTERS_MAX} characters`, {
      details: { field: 'message' },
    });
  const { name: provider, model: thinker } = chooseProvider(parts, options);
  const model = options.model ?? parts.config.model ?? thinker.defaultModel;
  if (model === undefined)
    throw new Fault('invalid_argument', `Cannot run: no model is named, and provider ${provider} has no default`, {
      details: { field: 'model' },
    });
  const sessionId = options.sessionId ?? `session_${now()}_${randomBytes(4).toString('hex')}`;
  if (busy.has(sessionId))
    throw new Fault('busy', `Cannot run: a run is under way in session ${sessionId}`, { details: { session: sessionId } });
  busy.add(sessionId);
  try {
    const session = await openOrCreate(parts.sessions, sessionId);
    await hooks.run('session_start', { sessionId }, signal);
    try {
      await hooks.run('before_agent_start', { sessionId, message, model }, signal);
      const response = await think({ ...parts, session, thinker, provider, model }, options, signal);
      const result = { response, sessionId, provider, model, fallbackUsed: false };
      await hooks.run('after_agent_end', { sessionId, result }, signal);
      return result;
    } finally {
      await hooks.run('session_end', { sessionId }); // Also of a run that failed.
    }
  } finally {
    busy.delete(sessionId);
  }
}

type ThinkParts = RunParts & {
  readonly session: Session;
  readonly thinker: ModelProvider;
  readonly provider: string;
  readonly model: string;
};

async function think(parts: ThinkParts, options: RunOptions, signal: AbortSignal): Promise<string> {
  const { id, platform, session, thinker, provider, model, config } = parts;
  await session.append([{ type: 'message', role: 'user', content: options.message }]);
  const { pid } = await platform.agents.start(id, { agent: AGENT, grants: GRANTS });
  try {
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      signal.throwIfAborted();
      const request = {
        ...{ provider, model, systemPrompt: options.systemPrompt ?? config.systemPrompt, apiKey: options.apiKey ?? config.apiKey },
        messages: session.context(),
        tools: (await platform.gate.offered(id, pid)).map(({ name }) => name),
      };
      const turn = await abortable(thinker.turn(request, signal), signal);
      await session.append([
        { type: 'message', role: 'assistant', content: contentOf(turn), ...(turn.usage !== undefined && { meta: turn.usage }) },
      ]);
      if (turn.text !== undefined && turn.text !== '') options.onEvent?.({ type: 'text', text: turn.text });
      const calls = turn.toolCalls ?? [];
      if (calls.length === 0) return turn.text ?? '';
      if (calls.length > CALLS_OF_A_TURN_MAX)
        throw new Fault('too_large', `Cannot run: the model asks for ${calls.length} calls at once, the limit is ${CALLS_OF_A_TURN_MAX}`);
      for (const call of calls) {
        const result = await callTool(parts, pid, call, options, signal);
        await session.append([{ type: 'message', role: 'tool', content: { name: call.name, result } }]);
      }
    }
    throw new Fault('too_large', `Cannot go on: the run has taken ${TURNS_MAX} turns, the limit`);
  } finally {
    await platform.agents.close(id, pid).catch(() => {}); // It ended by itself, or the workspace did.
  }
}

/** Nothing is called that a hook forbids; whatever the gate says is the result. */
async function callTool(
  { id, platform, hooks }: ThinkParts,
  pid: number,
  { name: toolName, input: asked }: { readonly name: string; readonly input: JsonObject },
  { onEvent }: RunOptions,
  signal: AbortSignal,
): Promise<JsonValue> {
  const about = { callId: `tool_${randomBytes(8).toString('hex')}`, agent: AGENT, toolName };
  const verdict = await hooks.beforeToolCall({ ...about, input: asked }, signal);
  if (verdict.kind === 'vetoed') return { error: { type: 'Vetoed', message: `The host forbids this call: ${verdict.reason}` } };
  const { input } = verdict;
  onEvent?.({ type: 'tool_call', toolName, input });
  const result = resultOf(await platform.gate.call(id, { pid, capability: toolName, input }, signal));
  onEvent?.({ type: 'tool_result', toolName, result });
  await hooks.run('after_tool_call', { ...about, input, result }, signal);
  return result;
}

function resultOf(answer: Answer): JsonValue {
  switch (answer.kind) {
    case 'done':
      return answer.output;
    case 'pending':
      return { pending: { call_id: answer.callId, approval_id: answer.approvalId } };
    case 'failed':
      return { error: { type: answer.error.type, message: answer.error.agentMessage } };
    default:
      return answer satisfies never;
  }
}

function contentOf({ text, toolCalls = [] }: ModelTurn): JsonValue {
  const parts = toolCalls.map(({ name, input }) => ({ type: 'tool_call', name, input }));
  return [...(text === undefined ? [] : [{ type: 'text', text }]), ...parts];
}

function chooseProvider({ providers, config }: RunParts, options: RunOptions): { readonly name: string; readonly model: ModelProvider } {
  const names = Object.keys(providers);
  const name = options.provider ?? config.provider ?? (names.length === 1 ? names[0] : undefined);
  const model = name !== undefined && Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (name !== undefined && model !== undefined) return { name, model };
  const asked = name === undefined ? 'none is named' : `there is no provider ${JSON.stringify(name)}`;
  throw new Fault(
    'unsupported',
    `Cannot run: ${asked}; give it to createPlatform as providers (there are: ${names.join(', ') || 'none'})`,
    {
      details: { providers: names },
    },
  );
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
