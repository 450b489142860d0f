/** One run: the message goes into the session, the model says what comes next, and what it asks for goes through the gate as an agent of the workspace, until it asks for nothing more. */
import { randomBytes } from 'node:crypto';
import type { Answer, GrantSet } from '@warren/kernel';
import { Fault, isFault, type JsonObject, type JsonValue, type WorkspaceId } from '@warren/protocol';
import { toolDescription } from '../capability/describe-capability.ts';
import { capabilityName, toolName } from '../capability/tool-name.ts';
import type { Hooks } from '../hook/hooks.ts';
import { answerText, complete } from '../model/complete.ts';
import type { Model, ModelProvider, ModelTool, ToolCallContent } from '../model/model.ts';
import type { Platform } from '../platform.ts';
import type { Session, Sessions } from '../session/sessions.ts';
import type { RunOptions, RunResult, WorkspaceConfig } from './embedded-platform.ts';
import { resultContent, sessionMessages } from './session-messages.ts';

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
      const apiKey = options.apiKey ?? parts.config.apiKey;
      const asked = thinker.model(model, { ...(apiKey !== undefined && { keys: [apiKey] }) });
      const response = await think({ ...parts, session, model: asked }, options, signal);
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

type ThinkParts = RunParts & { readonly session: Session; readonly model: Model };

async function think(parts: ThinkParts, options: RunOptions, signal: AbortSignal): Promise<string> {
  const { id, platform, session, model, config } = parts;
  await session.append([{ type: 'message', role: 'user', content: options.message }]);
  const { pid } = await platform.agents.start(id, { agent: AGENT, grants: GRANTS });
  try {
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      signal.throwIfAborted();
      const system = options.systemPrompt ?? config.systemPrompt;
      const request = {
        system,
        messages: sessionMessages(session.context()),
        tools: await toolsOf(parts, pid),
        cache: { key: session.id },
      };
      const turn = await abortable(
        complete(model, request, signal, (part) => {
          if (part.type === 'text') options.onEvent?.({ type: 'text', text: part.text });
        }),
        signal,
      );
      const { content } = turn.message;
      const meta = { model: turn.model, finish: turn.reason, usage: turn.usage, cost: turn.cost };
      await session.append([{ type: 'message', role: 'assistant', content, meta }]);
      const calls = content.filter((part) => part.type === 'tool_call' || part.type === 'malformed_call');
      if (calls.length === 0) return answerText(turn);
      if (calls.length > CALLS_OF_A_TURN_MAX)
        throw new Fault('too_large', `Cannot run: the model asks for ${calls.length} calls at once, the limit is ${CALLS_OF_A_TURN_MAX}`);
      for (const call of calls) {
        const result = call.type === 'tool_call' ? await callTool(parts, pid, call, options, signal) : malformed(call.reason);
        const isError = isObject(result) && result['error'] !== undefined;
        await session.append([{ type: 'message', role: 'tool', content: [resultContent(call, JSON.stringify(result), isError)] }]);
      }
    }
    throw new Fault('too_large', `Cannot go on: the run has taken ${TURNS_MAX} turns, the limit`);
  } finally {
    await platform.agents.close(id, pid).catch(() => {}); // It ended by itself, or the workspace did.
  }
}

async function toolsOf({ id, platform }: ThinkParts, pid: number): Promise<readonly ModelTool[]> {
  const offered = await platform.gate.offered(id, pid);
  return offered.flatMap(({ name }) => {
    const definition = platform.capabilities.findDefinition(name);
    if (definition === undefined) return []; // It was taken away just now.
    return [{ name: toolName(name), description: toolDescription(definition), inputSchema: definition.inputSchema }];
  });
}

/** Nothing is called that a hook forbids; whatever the gate says is the result. */
async function callTool(
  { id, platform, hooks }: ThinkParts,
  pid: number,
  { name, input: asked }: ToolCallContent,
  { onEvent }: RunOptions,
  signal: AbortSignal,
): Promise<JsonValue> {
  const toolName = capabilityName(name, () => platform.capabilities.definitions().map((each) => each.name));
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

function malformed(reason: string): JsonObject {
  return { error: { type: 'InvalidInput', message: `Nothing was called: ${reason}` } };
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
