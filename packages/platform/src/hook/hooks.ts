/**
 * Hooks: what somebody wants to happen at a point of an agent's life. They run one after the other, those of higher priority first and else in the order they were registered. What a hook does wrong is told as
 * an event and changes nothing; where a hook may forbid, one that fails forbids.
 */
import type { JsonObject, JsonValue } from '@warren/protocol';

export type ToolCall = { readonly toolName: string; readonly input: JsonObject };

type Asked = {
  readonly approvalId: string;
  readonly callId?: string | undefined;
  readonly agent: string;
  readonly capability: string;
  readonly pid?: number | undefined;
};

/** What each hook is told. */
export type HookPayloads = {
  readonly session_start: { readonly sessionId: string };
  readonly session_end: { readonly sessionId: string };
  readonly before_agent_start: { readonly sessionId: string; readonly message: string; readonly model: string };
  readonly after_agent_end: { readonly sessionId: string; readonly result: JsonValue; readonly usage?: JsonObject | undefined };
  readonly before_tool_call: ToolCall & { readonly callId: string; readonly agent: string; readonly pid?: number | undefined };
  readonly after_tool_call: HookPayloads['before_tool_call'] & { readonly result: JsonValue };
  readonly approval_requested: Asked;
  readonly approval_decided: Asked & { readonly outcome: string };
  readonly budget_breached: {
    readonly agent: string;
    readonly dimension: string;
    readonly limit: number;
    readonly pid?: number | undefined;
  };
};
export type HookName = keyof HookPayloads;

/** What a `before_tool_call` may answer: nothing, other arguments for the same tool, or that it shall not be. */
export type ToolCallVerdict = undefined | { readonly input: JsonObject } | { readonly veto: string };

/** Where a verdict is asked for it is the answer; elsewhere what is answered is not looked at. */
export type HookHandler<Name extends HookName> = (
  payload: HookPayloads[Name],
  signal: AbortSignal,
) => Name extends 'before_tool_call' ? ToolCallVerdict | Promise<ToolCallVerdict> : unknown;

export type HookOptions = {
  /** For events. Default: the point it stands at. */
  readonly label?: string | undefined;
  /** Names, `category.*` or `*`: of calls and approvals of others it is not told. Default: of all. */
  readonly capabilities?: readonly string[] | undefined;
  /** Higher runs earlier; default 0. */
  readonly priority?: number | undefined;
  /** Then its signal fires and it counts as failed. Default 10,000, at most 300,000. */
  readonly timeoutMs?: number | undefined;
  /** Waited for before its time begins, and disposed when it has ended; when it rejects the hook failed. Default: it runs at once. */
  readonly place?: ((signal: AbortSignal) => Promise<Disposable>) | undefined;
};

export type HookFailure = { readonly hook: HookName; readonly label: string; readonly reason: string };

export interface Hooks {
  /** Disposing takes it away. Faults: `invalid_argument`, `too_large` (1,000 hooks). */
  register<Name extends HookName>(name: Name, handler: HookHandler<Name>, options?: HookOptions | number): Disposable;
  /** Whether any would run; of a call or an approval: of this capability. */
  has(name: HookName, capability?: string): boolean;
  /** When all have run. Never throws for what a hook does; abort does, and leaves the rest out. */
  run<Name extends Exclude<HookName, 'before_tool_call'>>(name: Name, payload: HookPayloads[Name], signal?: AbortSignal): Promise<void>;
  /** The arguments to call with: each hook sees those that the one before it made. Or why not, from the first that forbids or fails. */
  beforeToolCall(
    payload: HookPayloads['before_tool_call'],
    signal?: AbortSignal,
  ): Promise<
    { readonly kind: 'call'; readonly input: JsonObject } | { readonly kind: 'vetoed'; readonly by: string; readonly reason: string }
  >;
}
