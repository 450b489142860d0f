/** One timer for the earliest time of all workspaces at which something is due. */
import type { WorkspaceId } from '@warren/protocol';
import type { Clock } from '../internal/clock.ts';

/**
 * The machine's timers do not notice that its clock was set or that it slept, kernel time does. So a long wait is cut into pieces; at the end
 * of each only the clock is looked at.
 */
const WAIT_MS_MAX = 60_000;
/** After doing what was due failed: the store is in trouble. */
const PAUSE_MS = 1_000;

export class DueTimer {
  readonly #clock: Clock;
  readonly #onDue: () => Promise<void>;
  readonly #times = new Map<WorkspaceId, number>();
  /** The earliest of `times`. */
  #earliest = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** What the timer is set for: it may be too early, never too late. */
  #setFor = Number.POSITIVE_INFINITY;
  #isBusy = false;
  #isClosed = false;

  constructor(clock: Clock, onDue: () => Promise<void>) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Workspaces with something that is due now. */
  get due(): readonly WorkspaceId[] {
    const now = this.#clock.now();
    return now < this.#earliest ? [] : [...this.#times].flatMap(([id, at]) => (at <= now ? [id] : []));
  }

  /** When something is due there; undefined when nothing will be. */
  set(id: WorkspaceId, at: number | undefined): void {
    const before = this.#times.get(id);
    if (before === at) return;
    if (at === undefined) this.#times.delete(id);
    else this.#times.set(id, at);
    if (at !== undefined && at <= this.#earliest) this.#earliest = at;
    else if (before === this.#earliest) this.#earliest = Math.min(...this.#times.values());
    if (!this.#isBusy && this.#earliest < this.#setFor) this.#arm(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #arm(waitMsMin: number): void {
    clearTimeout(this.#timer);
    this.#setFor = this.#earliest;
    if (this.#isClosed || this.#earliest === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.max(waitMsMin, this.#earliest - this.#clock.now());
    this.#timer = setTimeout(() => void this.#fire(), Math.min(waitMs, WAIT_MS_MAX)).unref();
  }

  async #fire(): Promise<void> {
    let waitMsMin = 1;
    if (this.#clock.now() >= this.#earliest) {
      this.#isBusy = true;
      await this.#onDue().catch(() => {
        waitMsMin = PAUSE_MS; // Nothing is lost: it is still due, and the store says why to whoever uses it next.
      });
      this.#isBusy = false;
    }
    this.#arm(waitMsMin);
  }
}
