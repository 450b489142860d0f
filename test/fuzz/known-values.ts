/** What answers have told of, by the name of its field: so that later asks are about something that is there. */
import { type Json, Known } from './json-text.ts';

/** Of each name; the first stays, then the oldest go. */
const KEPT = 24;
const SECRET = /^(?:token|passphrase|csrf|content)$/;

export class KnownValues {
  readonly #values = new Map<string, Json[]>();

  find = (known: Known): Json => {
    const found = this.#values.get(known.name) ?? this.#values.get(known.name.slice(known.name.lastIndexOf('_') + 1)) ?? [];
    const chosen = found[known.pick % Math.max(1, found.length)] ?? known.otherwise;
    return chosen instanceof Known ? this.find(chosen) : chosen;
  };

  add(name: string, value: Json): void {
    const values = this.#values.get(name) ?? [];
    if (values.includes(value)) return;
    values.push(value);
    if (values.length > KEPT) values.splice(1, 1);
    this.#values.set(name, values);
  }

  /** Everything in it that has a name. */
  learn(answer: unknown): void {
    if (typeof answer !== 'object' || answer === null) return;
    for (const [name, value] of Object.entries(answer)) {
      if (SECRET.test(name)) continue;
      if (typeof value === 'object') this.learn(value);
      else if (typeof value === 'string' ? value.length <= 200 : typeof value === 'number') this.add(name, value);
    }
  }
}
