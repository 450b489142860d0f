/** Whether values have gone out of a sandbox: from then on nothing may come back that cannot be searched for them. */
export class SentValues {
  #isAny = false;
  readonly #endings = new Set<() => void>();

  get isAny(): boolean {
    return this.#isAny;
  }

  /** One is about to go out: before the first what cannot be searched ends. */
  note(): void {
    if (this.#isAny) return;
    this.#isAny = true;
    for (const end of this.#endings) end();
    this.#endings.clear();
  }

  /** Called once, before the first goes out; the result calls it off. */
  beforeFirst(end: () => void): () => void {
    this.#endings.add(end);
    return () => void this.#endings.delete(end);
  }
}
