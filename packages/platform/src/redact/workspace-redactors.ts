/**
 * Takes the secrets of a workspace out of what leaves it. Every value that its vault keeps is looked for, older versions too: what was used yesterday may stand in a file today. They are read when the
 * first call of the workspace comes, and again whenever one was set, before it can be used.
 *
 * While the vault is locked there is nothing to look for but what has the form of a secret: nobody can have used a value in this life, since using one unlocks it; and whoever uses one waits
 * until it is looked for. What an earlier life's use left in a file is found from the next call on once the vault is unlocked, and in what calls answer that are under way then.
 */
import { createSecretRedactor, type Redact, withoutForms } from '@warren/kernel';
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import { chooseValues, type ReadValue, VALUES_MAX } from './chosen-values.ts';

/** What the vault has for this, and for nothing else. */
export type SecretValues = {
  /** Newest versions of a name before its older ones. */
  values(workspace: WorkspaceId): AsyncIterable<ReadValue>;
  /** Calls back when values came or went in a workspace, or, with none named, when those of all can be read that could not. */
  onChange(listener: (workspace: WorkspaceId | undefined) => void): Disposable;
};

export interface WorkspaceRedactors extends Disposable {
  /** With what is known when it is called: it may be kept, and as long as it is nothing of the workspace is forgotten. */
  of(workspace: WorkspaceId): Redact;
  /** Before a call: waits until what the vault keeps is looked for, as far as it can be read. Undefined: it is, or the vault is locked. */
  ready(workspace: WorkspaceId): Promise<void> | undefined;
  /** Before a value is given to whoever uses it: waits until it is looked for. Faults: `too_large` (it cannot be, beside the others); and it throws what reading throws. */
  require(workspace: WorkspaceId, name: string, version: number): Promise<void>;
  /** For what belongs to no workspace, as the log: the secrets of all whose are known. */
  readonly everywhere: Redact;
}

/** Beyond it the one that was not used for longest is forgotten, unless somebody has its redactor, and read again when it is needed. */
const WORKSPACES_MAX = 256;
const LOOKED_FOR = `are looked for in answers (${VALUES_MAX}, of 2 MiB together)`;

/** There is one of a workspace at any time: whoever has its redactor holds it, and sees what it becomes. */
type Known = {
  redact: Redact;
  /** Names and versions of what it looks for. */
  values: ReadonlySet<string>;
  /** Names whose value is not among them, for want of room. */
  without: ReadonlySet<string>;
  /** Not when it could not be read: then the next call tries again. */
  isCurrent: boolean;
  /** When it was tried last: no call waits for somebody to unlock the vault, which says so when it is done. */
  isLocked: boolean;
  reading: Promise<void> | undefined;
  changes: number;
};

export function createWorkspaceRedactors(vault: SecretValues, say: (message: string) => void): WorkspaceRedactors {
  const known = new KnownWorkspaces();
  const read = async (workspace: WorkspaceId, of: Known): Promise<void> => {
    for (let seen = -1; seen !== of.changes; ) {
      seen = of.changes;
      try {
        const { values, without, left } = await chooseValues(vault.values(workspace));
        if (left > 0) say(tooMany(workspace, left, without.size));
        const redactor = createSecretRedactor(values);
        of.redact = redactor.count === 0 ? withoutForms : (text) => withoutForms(redactor.text(text));
        of.values = new Set(values.map(({ name, version }) => keyOf(name, version)));
        of.without = without;
        for (const { value } of values) value.fill(0);
      } catch (error) {
        if (seen !== of.changes) continue; // It may be unlocked by now.
        of.isLocked = isFault(error, 'vault_locked');
        of.reading = undefined;
        throw error;
      }
    }
    of.isCurrent = true;
    of.reading = undefined; // At once: what changes from here on is read by another.
  };
  const readOnce = (workspace: WorkspaceId, of: Known): Promise<void> => {
    of.reading ??= Promise.resolve().then(() => read(workspace, of));
    return of.reading;
  };
  const change = (workspace: WorkspaceId, of: Known | undefined): void => {
    if (of === undefined) return;
    of.changes += 1;
    of.isCurrent = false;
    of.isLocked = false;
    void readOnce(workspace, of).catch(() => {}); // Whoever uses a value, or makes a call, tries again.
  };
  const listening = vault.onChange((workspace) => {
    if (workspace === undefined) for (const [id, of] of known.all()) change(id, of);
    else change(workspace, known.find(workspace));
  });
  return {
    of(workspace) {
      const of = known.use(workspace);
      return (text) => of.redact(text);
    },
    ready(workspace) {
      const of = known.use(workspace);
      if (of.isCurrent) return undefined;
      const reading = readOnce(workspace, of).catch(() => {}); // Whoever uses a value is told; the next call tries again.
      return of.isLocked ? undefined : reading;
    },
    async require(workspace, name, version) {
      const of = known.use(workspace);
      if (of.values.has(keyOf(name, version))) return;
      if (!of.isCurrent || !of.without.has(name)) {
        of.changes += 1; // What is being read may be from before this value was set.
        await readOnce(workspace, of);
      }
      if (of.without.has(name)) throw notLookedFor(workspace, name);
    },
    everywhere: (text) => [...known.all()].reduce((result, [, { redact }]) => redact(result), text),
    [Symbol.dispose]() {
      listening[Symbol.dispose]();
      known.clear();
    },
  };
}

/** Those used last, and those that somebody holds. */
class KnownWorkspaces {
  readonly #recent = new Map<WorkspaceId, Known>();
  readonly #held = new Map<WorkspaceId, WeakRef<Known>>();
  readonly #gone = new FinalizationRegistry<WorkspaceId>((workspace) => {
    if (this.#held.get(workspace)?.deref() === undefined) this.#held.delete(workspace); // Or there is another of it by now.
  });

  find(workspace: WorkspaceId): Known | undefined {
    return this.#held.get(workspace)?.deref();
  }

  *all(): Generator<readonly [WorkspaceId, Known], void, undefined> {
    for (const [workspace, held] of this.#held) {
      const of = held.deref();
      if (of !== undefined) yield [workspace, of];
    }
  }

  use(workspace: WorkspaceId): Known {
    const of = this.find(workspace) ?? this.#add(workspace);
    this.#recent.delete(workspace);
    this.#recent.set(workspace, of);
    const oldest = this.#recent.size > WORKSPACES_MAX ? this.#recent.keys().next().value : undefined;
    if (oldest !== undefined) this.#recent.delete(oldest);
    return of;
  }

  clear(): void {
    this.#recent.clear();
    this.#held.clear();
  }

  #add(workspace: WorkspaceId): Known {
    const of: Known = {
      redact: withoutForms,
      values: new Set<string>(),
      without: new Set<string>(),
      isCurrent: false,
      isLocked: false,
      reading: undefined,
      changes: 0,
    };
    this.#held.set(workspace, new WeakRef(of));
    this.#gone.register(of, workspace);
    return of;
  }
}

function tooMany(workspace: WorkspaceId, left: number, names: number): string {
  const current = names === 0 ? '' : `; ${names} of those are current ones, which are given to nobody`;
  return `Workspace ${workspace} keeps more values than ${LOOKED_FOR}: ${left} of them are not taken out of answers${current}`;
}

function notLookedFor(workspace: WorkspaceId, name: string): Fault {
  return new Fault(
    'too_large',
    `Cannot use secret ${name}: workspace ${workspace} keeps more values than ${LOOKED_FOR}; delete secrets that nobody needs`,
    { details: { secret: name, fix: 'warren secret delete NAME, of one that nobody needs' } },
  );
}

function keyOf(name: string, version: number): string {
  return `${name}\0${version}`;
}
