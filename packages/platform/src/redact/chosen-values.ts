/** Which values of a workspace are looked for when not all can be: the one in use of each name first, then the one before it of each, and so on. */

/** Newest versions of a name come before its older ones. */
export type ReadValue = { readonly name: string; readonly version: number; readonly bytes: Uint8Array };

type ChosenValue = { readonly name: string; readonly version: number; readonly value: Uint8Array };

export const VALUES_MAX = 20_000;
/** As many as `createSecretRedactor` looks for. */
export const VALUES_BYTES_MAX = 2_097_152;

type Chosen = {
  /** Newest first: it is the one that is named when several have the same value. Whoever asked wipes them. */
  readonly values: readonly ChosenValue[];
  /** Names whose newest value is not among them. */
  readonly without: ReadonlySet<string>;
  /** How many values are not among them. */
  readonly left: number;
};

/** Copies those it chooses, as they are wiped when the next is asked for. Throws what reading throws. */
export async function chooseValues(read: AsyncIterable<ReadValue>): Promise<Chosen> {
  const chosen = new ChosenValues();
  try {
    let [last, age] = ['', 0];
    for await (const value of read) {
      age = value.name === last ? age + 1 : 0;
      last = value.name;
      chosen.add(value, age);
    }
    return chosen;
  } catch (error) {
    for (const { value } of chosen.values) value.fill(0);
    throw error;
  }
}

class ChosenValues implements Chosen {
  /** By how many of the same name are newer. */
  readonly #byAge: ChosenValue[][] = [];
  readonly without = new Set<string>();
  left = 0;
  #count = 0;
  #bytes = 0;

  get values(): readonly ChosenValue[] {
    return this.#byAge.flat();
  }

  add({ name, version, bytes }: ReadValue, age: number): void {
    while (this.#byAge.length <= age) this.#byAge.push([]);
    this.#byAge[age]?.push({ name, version, value: Uint8Array.from(bytes) });
    this.#count += 1;
    this.#bytes += bytes.byteLength;
    while (this.#count > VALUES_MAX || this.#bytes > VALUES_BYTES_MAX) this.#leaveOldest();
  }

  #leaveOldest(): void {
    while (this.#byAge.at(-1)?.length === 0) this.#byAge.pop();
    const oldest = this.#byAge.at(-1)?.pop();
    if (oldest === undefined) return;
    if (this.#byAge.length === 1) this.without.add(oldest.name);
    this.left += 1;
    this.#count -= 1;
    this.#bytes -= oldest.value.byteLength;
    oldest.value.fill(0);
  }
}
