import { Fault, type JsonObject } from '@warren/protocol';
import type { HookFailure, HookHandler, HookName, HookOptions, HookPayloads, Hooks, ToolCallVerdict } from './hooks.ts';

export type HookParts = {
  /** Told of each hook that failed, and of what it was told: an event. Must not throw. */
  readonly onFailure: (failure: HookFailure, payload: HookPayloads[HookName]) => void;
};

const HOOKS_MAX = 1_000;
const TIMEOUT_MS = 10_000;
const TIMEOUT_MS_MAX = 300_000;
const REASON_CHARACTERS_MAX = 500;
const POINTS: ReadonlySet<string> = new Set<HookName>([
  ...(['session_start', 'session_end', 'before_agent_start', 'after_agent_end', 'before_tool_call', 'after_tool_call'] as const),
  ...(['approval_requested', 'approval_decided', 'budget_breached'] as const),
]);

type Registered = {
  readonly name: HookName;
  readonly handler: HookHandler<never>;
  readonly label: string;
  readonly capabilities: readonly string[] | undefined;
  readonly priority: number;
  readonly timeoutMs: number;
  readonly place: HookOptions['place'];
};

export function createHooks({ onFailure }: HookParts): Hooks {
  let registered: readonly Registered[] = [];
  const of = (name: HookName, capability: string | undefined): readonly Registered[] =>
    registered.filter((each) => each.name === name && isAbout(each, capability));

  /** Undefined when it failed, which was told. */
  const call = async <Name extends HookName>(
    hook: Registered,
    payload: HookPayloads[Name],
    signal: AbortSignal,
  ): Promise<{ readonly value: unknown } | string> => {
    const limit = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    try {
      const place = await hook.place?.(signal);
      if (signal.aborted) place?.[Symbol.dispose](); // Then it does not begin.
      timer = setTimeout(() => limit.abort(new Error(`it took longer than ${hook.timeoutMs} ms`)), hook.timeoutMs);
      const both = AbortSignal.any([signal, limit.signal]);
      const handler = hook.handler as HookHandler<Name>; // It was registered under this name.
      const work = async (): Promise<unknown> => {
        using _place = place; // Until it has ended, which may be after its time.
        return await handler(structuredClone(payload), both);
      };
      return { value: await endedBy(both, work) };
    } catch (error) {
      signal.throwIfAborted();
      const reason = (error instanceof Error ? error.message : String(error)).slice(0, REASON_CHARACTERS_MAX);
      onFailure({ hook: hook.name, label: hook.label, reason }, payload);
      return reason;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    register(name, handler, options = {}) {
      const {
        label = name,
        capabilities,
        priority = 0,
        timeoutMs = TIMEOUT_MS,
        place,
      }: HookOptions = typeof options === 'number' ? { priority: options } : options;
      if (!POINTS.has(name)) throw refuse('name', `${JSON.stringify(String(name).slice(0, 80))} is none of ${[...POINTS].join(', ')}`);
      if (typeof handler !== 'function') throw refuse('handler', 'it is no function');
      if (!Number.isFinite(priority)) throw refuse('priority', 'it is no number');
      if (!(timeoutMs > 0 && timeoutMs <= TIMEOUT_MS_MAX)) throw refuse('timeoutMs', `it is not 1 to ${TIMEOUT_MS_MAX}`);
      if (registered.length >= HOOKS_MAX)
        throw new Fault('too_large', `Cannot register another hook: there are ${HOOKS_MAX}, which is the limit`);
      const hook: Registered = { name, handler: handler as HookHandler<never>, label, capabilities, priority, timeoutMs, place }; // It is called with what its name says.
      registered = [...registered, hook].sort((a, b) => b.priority - a.priority); // Sorting keeps the order of equals.
      return {
        [Symbol.dispose]: () => {
          registered = registered.filter((each) => each !== hook);
        },
      };
    },

    has: (name, capability) => registered.length > 0 && of(name, capability).length > 0,

    async run(name, payload, signal = new AbortController().signal) {
      for (const hook of of(name, capabilityOf(payload))) {
        signal.throwIfAborted();
        await call(hook, payload, signal);
      }
    },

    async beforeToolCall(payload, signal = new AbortController().signal) {
      let input = payload.input;
      for (const hook of of('before_tool_call', payload.toolName)) {
        signal.throwIfAborted();
        const answer = await call<'before_tool_call'>(hook, { ...payload, input }, signal);
        if (typeof answer === 'string') return { kind: 'vetoed', by: hook.label, reason: `it failed: ${answer}` };
        const verdict = readVerdict(answer.value);
        if (typeof verdict === 'string') {
          onFailure({ hook: hook.name, label: hook.label, reason: verdict }, payload);
          return { kind: 'vetoed', by: hook.label, reason: verdict };
        }
        if (verdict === undefined) continue;
        if ('veto' in verdict) return { kind: 'vetoed', by: hook.label, reason: verdict.veto.slice(0, REASON_CHARACTERS_MAX) };
        input = verdict.input;
      }
      return { kind: 'call', input };
    },
  };
}

/** What is about no capability concerns every hook. */
function isAbout({ capabilities }: Registered, capability: string | undefined): boolean {
  if (capabilities === undefined || capability === undefined) return true;
  return capabilities.some(
    (each) => each === '*' || each === capability || (each.endsWith('.*') && capability.startsWith(each.slice(0, -1))),
  );
}

function capabilityOf(payload: HookPayloads[HookName]): string | undefined {
  if ('toolName' in payload) return payload.toolName;
  return 'capability' in payload ? payload.capability : undefined;
}

/** Text says what is wrong with it: an answer that is not understood may have meant no. */
function readVerdict(value: unknown): ToolCallVerdict | string {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) return 'it answered what is no verdict';
  if (typeof value['veto'] === 'string') return { veto: value['veto'] };
  if (Object.keys(value).length === 1 && isObject(value['input'])) return { input: value['input'] };
  return 'it answered what is no verdict';
}

/** The work may go on; nobody waits for it. */
async function endedBy<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const working = work();
  working.catch(() => {}); // When it lost the race, nobody else hears of it.
  try {
    return await Promise.race([working, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot register the hook: ${field}: ${why}`, { details: { field } });
}
