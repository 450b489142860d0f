/**
 * The registry: every capability there is, Warren's own and those of packs. It is the table that the gate is handed. A change makes new `Capability` objects
 * and swaps the table at once; a call under way keeps the one it resolved.
 *
 * Warren's own definitions and handlers must match one to one, or nothing starts. A pack with a mistake does not stop anything: it is left out, or what was
 * loaded of it before is kept, and its problems are told.
 */
import type { ActContext, Capability, CapabilityTable } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import { checkOutput } from './check-output.ts';
import { createCapability } from './create-capability.ts';
import type { Definition, Problem } from './definition.ts';
import type { HandlerContext, HandlerResult, Handlers } from './handler.ts';
import type { DefinitionSet } from './load-definitions.ts';
import { problemText } from './problem-text.ts';

/** What a folder of packs holds, as it is read each time. `packs/packs.ts` makes these. */
export type LoadedPack = {
  readonly name: string;
  readonly version: string;
  readonly definitions: readonly Definition[];
  /** Changes when anything of it does. */
  readonly hash: string;
  readonly act: (definition: Definition, context: ActContext) => Promise<HandlerResult>;
};

export type PacksRead = {
  /** Those without mistakes. */
  readonly packs: readonly LoadedPack[];
  /** Names of those that are there with mistakes. */
  readonly broken: readonly string[];
  readonly problems: readonly Problem[];
};

/** A capability that is neither Warren's nor a pack's. Its name begins with `mcp.`, so it is never one of theirs. */
export type MountedCapability = { readonly definition: Definition; readonly capability: Capability; readonly hash: string };

export type RegistryParts = {
  readonly builtin: DefinitionSet;
  readonly handlers: Handlers;
  /** Gives a handler what it may use, and takes it back. */
  readonly wrap: <Result>(context: ActContext, use: (context: HandlerContext) => Promise<Result>) => Promise<Result>;
  /** Reads the packs that are installed now. Absent: there are none. */
  readonly readPacks?: ((builtin: DefinitionSet) => Promise<PacksRead>) | undefined;
  /** Tools of others that are mounted now, each complete in itself. Absent: there are none. */
  readonly mounted?: (() => readonly MountedCapability[]) | undefined;
  /** In tests: an output that is not what its definition promises is a defect. */
  readonly checksOutput?: boolean | undefined;
};

export type Reloaded = {
  readonly isChanged: boolean;
  readonly revision: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly problems: readonly Problem[];
};

export interface Registry extends CapabilityTable {
  /** By name. */
  definitions(): readonly Definition[];
  findDefinition(name: string): Definition | undefined;
  packs(): readonly Pick<LoadedPack, 'name' | 'version'>[];
  /** What is wrong with packs that are there. */
  problems(): readonly Problem[];
  /** Reads the packs again. One after the other; who comes while one is read gets what comes after it. */
  reload(): Promise<Reloaded>;
  /** Calls back after each change; returns how to stop it. What a listener throws goes to nobody. */
  onChange(listener: (change: Reloaded) => void): () => void;
}

type Entry = { readonly definition: Definition; readonly capability: Capability; readonly hash: string };

/** Faults: `invalid_argument` when definitions have problems, or do not match the handlers; the message holds all of them. */
export async function createRegistry(parts: RegistryParts): Promise<Registry> {
  const mistakes = [...parts.builtin.problems.filter(({ severity }) => severity === 'error').map(problemText), ...mismatches(parts)];
  if (mistakes.length > 0)
    throw new Fault('invalid_argument', `Cannot start the capabilities: ${mistakes.length} mistakes\n${mistakes.join('\n')}`);
  const registry = new LiveRegistry(parts);
  await registry.reload();
  return registry;
}

function mismatches({ builtin, handlers }: RegistryParts): readonly string[] {
  const without = [...builtin.definitions.values()].filter(({ name }) => !Object.hasOwn(handlers, name));
  const unknown = Object.keys(handlers).filter((name) => !builtin.definitions.has(name));
  return [
    ...without.map(({ name, source }) => `${source.file}:${source.line}: ${name} has no handler`),
    ...unknown.map((name) => `the handler ${name} has no definition`),
  ];
}

class LiveRegistry implements Registry {
  readonly #parts: RegistryParts;
  readonly #builtin: ReadonlyMap<string, Entry>;
  readonly #listeners = new Set<(change: Reloaded) => void>();
  #packs: ReadonlyMap<string, LoadedPack> = new Map();
  #entries: ReadonlyMap<string, Entry>;
  #list: readonly Capability[];
  #problems: readonly Problem[] = [];
  #revision = 1;
  #reading: Promise<Reloaded> | undefined;
  #next: Promise<Reloaded> | undefined;

  readonly #find = (name: string): Capability | undefined => this.find(name);

  constructor(parts: RegistryParts) {
    this.#parts = parts;
    const entries = [...parts.builtin.definitions.values()].map((definition) => [definition.name, this.#own(definition)] as const);
    this.#builtin = new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#entries = this.#builtin;
    this.#list = listOf(this.#builtin);
  }

  get revision(): number {
    return this.#revision;
  }

  find(name: string): Capability | undefined {
    return this.#entries.get(name)?.capability;
  }

  list(): readonly Capability[] {
    return this.#list;
  }

  definitions(): readonly Definition[] {
    return Array.from(this.#entries.values(), ({ definition }) => definition);
  }

  findDefinition(name: string): Definition | undefined {
    return this.#entries.get(name)?.definition;
  }

  packs(): readonly Pick<LoadedPack, 'name' | 'version'>[] {
    return Array.from(this.#packs.values(), ({ name, version }) => ({ name, version }));
  }

  problems(): readonly Problem[] {
    return this.#problems;
  }

  onChange(listener: (change: Reloaded) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  reload(): Promise<Reloaded> {
    if (this.#reading === undefined) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    // The one under way may have read before what this caller knows of.
    this.#next ??= this.#reading
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        this.#next = undefined;
        return this.reload();
      });
    return this.#next;
  }

  async #read(): Promise<Reloaded> {
    const read = (await this.#parts.readPacks?.(this.#parts.builtin)) ?? { packs: [], broken: [], problems: [] };
    const packs = new Map(read.packs.map((pack) => [pack.name, pack]));
    for (const name of read.broken) {
      const before = this.#packs.get(name);
      if (before !== undefined) packs.set(name, before);
    }
    const entries = new Map(this.#builtin);
    for (const pack of packs.values()) {
      const isSame = this.#packs.get(pack.name)?.hash === pack.hash;
      for (const definition of pack.definitions) {
        const before = isSame ? this.#entries.get(definition.name) : undefined;
        entries.set(definition.name, before ?? this.#ofPack(pack, definition));
      }
    }
    for (const mounted of this.#parts.mounted?.() ?? []) {
      const { name } = mounted.definition;
      if (!entries.has(name)) entries.set(name, this.#unchanged(mounted));
    }
    return this.#swap(packs, entries, read.problems);
  }

  #unchanged(mounted: MountedCapability): Entry {
    const before = this.#entries.get(mounted.definition.name);
    return before !== undefined && before.hash === mounted.hash && before.capability.effect === mounted.capability.effect
      ? before
      : mounted;
  }

  /** No await in here: whoever looks finds the table of before or of after. */
  #swap(packs: ReadonlyMap<string, LoadedPack>, entries: ReadonlyMap<string, Entry>, problems: readonly Problem[]): Reloaded {
    const before = this.#entries;
    const added = [...entries.keys()].filter((name) => !before.has(name));
    const removed = [...before.keys()].filter((name) => !entries.has(name));
    const changed = [...entries].filter(([name, entry]) => before.has(name) && before.get(name) !== entry).map(([name]) => name);
    const isChanged = added.length + removed.length + changed.length > 0;
    this.#packs = packs;
    this.#problems = problems;
    if (isChanged) {
      this.#entries = new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
      this.#list = listOf(this.#entries);
      this.#revision++;
    }
    const change: Reloaded = { isChanged, revision: this.#revision, added, removed, changed, problems };
    if (isChanged) this.#tell(change);
    return change;
  }

  #tell(change: Reloaded): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch {
        // The table has changed whether a listener likes it or not, and the others are to know.
      }
    }
  }

  #own(definition: Definition): Entry {
    const { handlers, wrap, builtin, checksOutput = false } = this.#parts;
    const handler = handlers[definition.name]!; // They match, as was checked.
    const act = async (context: ActContext): Promise<HandlerResult> => {
      const result = await wrap(context, (handlerContext) => handler(context.input, handlerContext));
      if (checksOutput) refuseOutput(definition, result);
      return result;
    };
    return {
      definition,
      capability: createCapability({ definition, sharedErrors: builtin.sharedErrors, act, find: this.#find }),
      hash: '',
    };
  }

  #ofPack(pack: LoadedPack, definition: Definition): Entry {
    const act = (context: ActContext): Promise<HandlerResult> => pack.act(definition, context);
    const version = `${definition.version}+${pack.hash}`; // Other files are another version, whatever the pack says.
    return {
      definition,
      capability: { ...createCapability({ definition, sharedErrors: this.#parts.builtin.sharedErrors, act, find: this.#find }), version },
      hash: pack.hash,
    };
  }
}

function refuseOutput(definition: Definition, { output }: HandlerResult): void {
  const problems = checkOutput(definition.outputs, output, true);
  if (problems.length > 0)
    throw new Error(`The handler of ${definition.name} does not answer what its definition promises: ${problems.join('; ')}`);
}

function listOf(entries: ReadonlyMap<string, Entry>): readonly Capability[] {
  return Array.from(entries.values(), ({ capability }) => capability);
}
