/** Pages of lists. */
export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 10_000;

export type Page = { readonly limit?: number | undefined; readonly offset?: number | undefined };

/** Within bounds, whatever was asked for. */
export function clampPage({ limit, offset }: Page = {}): { readonly limit: number; readonly offset: number } {
  return { limit: clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX), offset: clamp(offset, 0, 0, Number.MAX_SAFE_INTEGER) };
}

export function clamp(value: number | undefined, otherwise: number, least: number, most: number): number {
  if (value === undefined || !Number.isFinite(value)) return otherwise;
  return Math.min(most, Math.max(least, Math.trunc(value)));
}
