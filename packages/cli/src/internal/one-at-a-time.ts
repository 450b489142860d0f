/** Does something whenever it is asked for, one after the other. Asked while it is at it, it does so once more, however often that was. */
export class OneAtATime {
  readonly #act: () => Promise<void>;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;

  /** `act` never rejects. */
  constructor(act: () => Promise<void>) {
    this.#act = act;
  }

  ask(): void {
    if (this.#running === undefined) this.#running = this.#run();
    else this.#isAskedAgain = true;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    do {
      this.#isAskedAgain = false;
      await this.#act();
    } while (this.#isAskedAgain);
    this.#running = undefined;
  }
}
