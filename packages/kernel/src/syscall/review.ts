/** Whoever looks at calls from outside, as the gate sees them. */
import type { WorkspaceId } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { Answer } from './gate.ts';

export type ReviewedCall = {
  readonly workspace: WorkspaceId;
  readonly pid: number;
  readonly callId: string;
  readonly capability: string;
  readonly input: JsonObject;
};

export type Verdict =
  | { readonly kind: 'call'; readonly input: JsonObject }
  | { readonly kind: 'vetoed'; readonly by: string; readonly reason: string };

export type Review = {
  /** What to make of the call. Rejects when the signal fires. Not asked of one that people approved, which is carried out as it was approved. */
  readonly before?: ((signal: AbortSignal) => Promise<Verdict>) | undefined;
  /** Told what a call that was carried out came to, once it is recorded. Nobody waits for it; must not throw. */
  readonly after?: ((answer: Answer) => void) | undefined;
};

/** Undefined: nobody looks at this call. Asked of each, so it has to be quick. Must not throw. */
export type ReviewCall = (call: ReviewedCall) => Review | undefined;
