/**
 * Kernel time. Leases, time limits and ageing are durations and must not notice that somebody set the clock of the machine; run times and
 * deadlines are dates and must. One rule serves both: time passes at the rate of the monotonic clock and never goes back, but when the
 * machine's clock is ahead (a correction forwards, a machine that slept) kernel time catches up at once. At a start it is the machine's
 * time.
 */

/** Milliseconds since 1970, whole, never less than an earlier answer. */
export interface Clock {
  now(): number;
}

/** What the machine offers; a test hands in its own. */
export type MachineTime = {
  /** Milliseconds since 1970; may jump. */
  readonly wall: () => number;
  /** Milliseconds since whenever; never goes back. */
  readonly monotonic: () => number;
};

const MACHINE: MachineTime = { wall: () => Date.now(), monotonic: () => performance.now() };

export function createClock(machine: MachineTime = MACHINE): Clock {
  let anchor = machine.wall();
  let anchoredAt = machine.monotonic();
  return {
    now() {
      const elapsed = machine.monotonic();
      const passed = anchor + (elapsed - anchoredAt);
      const wall = machine.wall();
      if (wall > passed) {
        anchor = wall;
        anchoredAt = elapsed;
        return Math.floor(wall);
      }
      return Math.floor(passed);
    },
  };
}
