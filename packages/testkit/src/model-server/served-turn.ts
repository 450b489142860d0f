/** What a fake model answers, in the words of a script; every wire format says it in its own. */
export type ServedCall = { readonly name: string; readonly input: object } | { readonly name: string; readonly malformed: string };

export type ServedTurn = {
  readonly reasoning?: string | undefined;
  readonly text?: string | undefined;
  readonly calls?: readonly ServedCall[] | undefined;
  readonly finish?: 'stop' | 'length' | 'tool_calls' | 'refused' | 'other' | undefined;
  /** Default: `USAGE`. `none`: the server does not say. */
  readonly usage?: Partial<ServedUsage> | 'none' | undefined;
  /** Before each piece. */
  readonly pauseMs?: number | undefined;
  /**
   * Before anything is said, a status and the error that the provider tells with it. After what is said above: `cut` breaks the connection, `garbled` sends no JSON, `overloaded` an error in the stream,
   * `timeout` goes silent, `answer_too_large` never ends.
   */
  readonly fault?: string | undefined;
  readonly retryAfterMs?: number | undefined;
};

export type ServedUsage = {
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
};

export const USAGE: ServedUsage = { inputTokens: 100, cacheReadTokens: 40, cacheWriteTokens: 0, outputTokens: 20, reasoningTokens: 5 };

export function usageOf({ usage }: ServedTurn): ServedUsage | undefined {
  return usage === 'none' ? undefined : { ...USAGE, ...usage };
}

export function argumentsOf(call: ServedCall): string {
  return 'input' in call ? JSON.stringify(call.input) : call.malformed;
}

/** In two, in the middle of a word. */
export function halves(text: string): readonly string[] {
  if (text.length < 2) return [text];
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}
