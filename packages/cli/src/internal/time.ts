/** A time of the wire, to the minute: `2026-11-21T15:04Z`. */
export function isoMinute(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
}

/** To the second. */
export function isoSecond(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(/\.\d+Z$/, 'Z');
}
