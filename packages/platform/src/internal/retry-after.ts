/** How long to wait before asking again: what the other side asks for, else longer each time, and never twice the same for all who were refused at once. */
const FIRST_MS = 500;
const LAST_MS = 20_000;

export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}(\.\d{1,3})?$/.test(header.trim())) return Math.ceil(Number(header) * 1_000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** `attempt` from 0; `random` from 0 to 1. */
export function backoffMs(attempt: number, random: number): number {
  return Math.round(Math.min(LAST_MS, FIRST_MS * 2 ** attempt) * (0.5 + random / 2));
}
