/** How much is under way in a gate, so that it closes when nothing is any more. */
export class GateLife {
  readonly #idle: (() => void)[] = [];
  #active = 0;
  #isClosed = false;
  readonly #cut = new AbortController();

  /** Fires when there is no more time for what is under way. */
  get cut(): AbortSignal {
    return this.#cut.signal;
  }

  get active(): number {
    return this.#active;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  begin(): void {
    this.#active += 1;
  }

  end(): void {
    this.#active -= 1;
    if (this.#active === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Nothing is to begin from now on. */
  close(): void {
    this.#isClosed = true;
  }

  cutOff(): void {
    this.#cut.abort();
  }

  /** Whether nothing is under way any more before this long. */
  async idleWithin(ms: number): Promise<boolean> {
    if (this.#active === 0) return true;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), ms);
    });
    try {
      return await Promise.race([this.idle().then(() => true), over]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    if (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
