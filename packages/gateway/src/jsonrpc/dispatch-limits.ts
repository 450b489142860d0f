/** What one message may ask for. */
export type DispatchLimits = {
  /** Brackets within brackets: what the deepest payload needs, its envelope, and room. */
  readonly depthMax: number;
  /** Values in one message; parsing makes an object of each. */
  readonly valuesMax: number;
  readonly batchMax: number;
  /** Characters of all answers to one batch. What was carried out and does not fit is answered with `too_large`. */
  readonly batchAnswerMax: number;
  /** Calls under way at once, of all callers; more are answered with `busy`. */
  readonly callsMax: number;
};

export const DISPATCH_LIMITS: DispatchLimits = {
  depthMax: 128,
  valuesMax: 1_000_000,
  batchMax: 1_000,
  batchAnswerMax: 64 * 2 ** 20,
  callsMax: 20_000,
};
