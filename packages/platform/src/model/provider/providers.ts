/**
 * Providers, as data: where each is, in which wire format it is spoken to, where its key stands in an environment, and in what it differs from others of that format. A server of one's own is another row of
 * the same kind (`compatible`, with a URL).
 */
import { createHash } from 'node:crypto';
import type { ReasoningEffort } from '../model.ts';

/** Of which package of the library, and which of its formats. */
export type Wire = 'anthropic' | 'openai-responses' | 'openai-chat' | 'google' | 'chat';

export type Quirks = {
  /** Whether it may be asked for usage at the end of a stream; those that give it anyway may refuse to be asked. Of `chat` only. */
  readonly isUsageAsked?: boolean;
  /** What it takes for an effort; undefined: nothing is sent. Default: as it is called here. */
  readonly effort?: (effort: ReasoningEffort) => string | undefined;
  /** How it wants ids of calls, also of those that another provider made. */
  readonly callId?: (id: string) => string;
  /** Thoughts are not counted among what came out. */
  readonly isReasoningApart?: boolean;
  /** Says in dollars what an answer costs, and is believed. */
  readonly saysCost?: boolean;
  /** Changes the body of a request. Of `chat` only. */
  readonly body?: (body: Record<string, unknown>) => Record<string, unknown>;
  /** Whether an answer can be held to a schema; otherwise it is only asked to be JSON. Default: yes. */
  readonly hasSchemas?: boolean;
};

export type ProviderRow = Quirks & {
  readonly wire: Wire;
  /** Undefined: the operator has to say. */
  readonly url: string | undefined;
  /** Variables of an environment, the first that is set counts. */
  readonly keyVariables: readonly string[];
  readonly needsKey: boolean;
};

const noEffort = (): undefined => undefined;
const lowOrHigh = (effort: ReasoningEffort): string | undefined =>
  effort === 'none' ? undefined : effort === 'high' || effort === 'xhigh' ? 'high' : 'low';
const upToHigh = (effort: ReasoningEffort): string | undefined =>
  effort === 'none' ? undefined : effort === 'minimal' ? 'low' : effort === 'xhigh' ? 'high' : effort;

export const PROVIDERS = {
  anthropic: { wire: 'anthropic', url: 'https://api.anthropic.com/v1', keyVariables: ['ANTHROPIC_API_KEY'], needsKey: true },
  openai: { wire: 'openai-responses', url: 'https://api.openai.com/v1', keyVariables: ['OPENAI_API_KEY'], needsKey: true },
  'openai-chat': { wire: 'openai-chat', url: 'https://api.openai.com/v1', keyVariables: ['OPENAI_API_KEY'], needsKey: true },
  google: {
    ...{ wire: 'google', url: 'https://generativelanguage.googleapis.com/v1beta', needsKey: true },
    keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'],
  },
  groq: {
    ...{ wire: 'chat', url: 'https://api.groq.com/openai/v1', keyVariables: ['GROQ_API_KEY'], needsKey: true, isUsageAsked: true },
    effort: upToHigh,
  },
  cerebras: {
    ...{ wire: 'chat', url: 'https://api.cerebras.ai/v1', keyVariables: ['CEREBRAS_API_KEY'], needsKey: true, isUsageAsked: true },
    effort: upToHigh,
  },
  mistral: {
    ...{ wire: 'chat', url: 'https://api.mistral.ai/v1', keyVariables: ['MISTRAL_API_KEY'], needsKey: true, isUsageAsked: false },
    effort: noEffort,
    callId: nineLetters,
  },
  xai: {
    ...{ wire: 'chat', url: 'https://api.x.ai/v1', keyVariables: ['XAI_API_KEY'], needsKey: true, isUsageAsked: true },
    ...{ effort: lowOrHigh, isReasoningApart: true },
  },
  openrouter: {
    ...{ wire: 'chat', url: 'https://openrouter.ai/api/v1', keyVariables: ['OPENROUTER_API_KEY'], needsKey: true, isUsageAsked: true },
    saysCost: true,
    body: ({ reasoning_effort: effort, ...body }) => ({
      ...body,
      ...(effort !== undefined && { reasoning: { effort } }),
      usage: { include: true },
    }),
  },
  ollama: {
    ...{ wire: 'chat', url: 'http://127.0.0.1:11434/v1', keyVariables: ['OLLAMA_API_KEY'], needsKey: false, isUsageAsked: true },
    effort: upToHigh,
  },
  /** Any other that speaks as OpenAI's chat does. Nothing is asked of it that a small server may not know. */
  compatible: { wire: 'chat', url: undefined, keyVariables: [], needsKey: false, isUsageAsked: true, effort: upToHigh },
} as const satisfies Record<string, ProviderRow>;

export type ProviderName = keyof typeof PROVIDERS;

/** It takes nine letters and digits. */
function nineLetters(id: string): string {
  if (/^[a-zA-Z0-9]{9}$/.test(id)) return id;
  const hash = createHash('sha256')
    .update(id)
    .digest('base64')
    .replace(/[^a-zA-Z0-9]/g, '');
  return hash.slice(0, 9);
}
