/** Times: whole milliseconds in the kernel, seconds on the wire. */

export function toSeconds(ms: number): number {
  return ms / 1_000;
}

export function toMs(seconds: number): number {
  return Math.round(seconds * 1_000);
}

/** Absent is null on the wire. */
export function toSecondsOrNull(ms: number | undefined): number | null {
  return ms === undefined ? null : toSeconds(ms);
}

export function toMsIfGiven(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : toMs(seconds);
}
