import type { EventRecord, NameEntry } from '@warren/kernel';
import type { Random } from '@warren/kernel/testing';
import type { Known, Model, Part } from '../part.ts';
import { somePid } from './processes.ts';

const NAMES = ['planner', 'planner/a', 'worker', 'Worker'] as const;
const TAGS = ['x', 'y'] as const;

/** What a name is registered with follows from it. */
function metadataOf(name: string): { readonly of: string } {
  return { of: name };
}

class NameModel implements Model {
  readonly #known: Known;
  readonly #all = new Map<string, NameEntry>();

  constructor(known: Known) {
    this.#known = known;
  }

  hear({ pid = 0, at, kind, payload }: EventRecord): void {
    if (!kind.startsWith('kernel.name.')) return;
    const name = String(payload['name']);
    const before = this.#all.get(name);
    if (kind === 'kernel.name.unregistered') {
      if (before?.pid !== pid) throw new Error(`Process ${pid} lost the name ${name}, which it had not`);
      this.#all.delete(name);
      return;
    }
    if (before !== undefined) throw new Error(`The name ${name} was given to ${pid} while ${before.pid} had it`);
    const tags = payload['tags'] as readonly string[]; // A wrong one differs from what is held.
    this.#all.set(name, { name, pid, tags, metadata: metadataOf(name), registeredAt: at });
  }

  rest(): void {
    for (const { name, pid } of this.#all.values())
      if (!this.#known.processes.isAlive(pid)) throw new Error(`${name} is the name of process ${pid}, which is DEAD`);
  }

  state(): readonly NameEntry[] {
    return [...this.#all.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }
}

export const names: Part = {
  name: 'names',
  weight: 1,

  asks: [
    async (asking) => {
      const { mine, random } = asking;
      const name = random.pick(NAMES);
      const options = { tags: someTags(random), metadata: metadataOf(name) };
      const { pid } = await mine.names.register(name, somePid(asking), options);
      return [{ kind: 'kernel.name.registered', pid, payload: { name } }];
    },
    async (asking) => {
      const { mine, random } = asking;
      const [name, owner] = [random.pick(NAMES), random.chance(0.5) ? somePid(asking) : undefined];
      const wasThere = await mine.names.unregister(name, owner);
      return wasThere ? [{ kind: 'kernel.name.unregistered', pid: owner, payload: { name } }] : [];
    },
    async (asking) => {
      const { mine, random } = asking;
      const pid = somePid(asking);
      const count = random.chance(0.3) ? await mine.names.unregisterAll(pid) : 0;
      return count > 0 ? [{ kind: 'kernel.name.unregistered', pid }] : [];
    },
  ],

  createModel: (known) => new NameModel(known),

  async observe({ mine, summary }) {
    const { entries, total } = await mine.names.list({}, { limit: 100 });
    if (total !== entries.length || summary.names !== total) throw new Error(`${total} names are counted, ${entries.length} are there`);
    for (const entry of entries) if ((await mine.names.lookup(entry.name)).pid !== entry.pid) throw new Error(`${entry.name} is of two`);
    return entries;
  },
};

function someTags(random: Random): readonly string[] {
  return TAGS.filter(() => random.chance(0.5));
}
