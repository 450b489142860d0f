/** Things that are done one after another, in the order they were asked for. One that fails does not hold up those behind it. */
export class Turn {
  #last: Promise<unknown> = Promise.resolve();

  take<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(act);
    this.#last = result.catch(() => {}); // Whoever asked has the error.
    return result;
  }
}
