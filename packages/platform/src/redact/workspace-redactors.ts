/**
 * Takes the secrets of a workspace out of what leaves it. Every value that its vault keeps is looked for, older versions too: what was used yesterday may stand in a file today. They are read when the
 * first call of the workspace comes, and again whenever one was set, before it can be used.
 *
 * While the vault is locked there is nothing to look for but what has the form of a secret: nobody can have used a value in this life, since using one unlocks it; and whoever uses one waits
 * until it is looked for. What an earlier life's use left in a file is found again from then on.
 */
import { createSecretRedactor, type Redact, withoutForms } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';

/** What the vault has for this, and for nothing else. */
export type SecretValues = {
  values(workspace: WorkspaceId): AsyncIterable<{ readonly name: string; readonly version: number; readonly bytes: Uint8Array }>;
  /** Calls back when values came or went in a workspace. */
  onChange(listener: (workspace: WorkspaceId) => void): Disposable;
};

export interface WorkspaceRedactors extends Disposable {
  /** With what is known when it is called: it may be kept. */
  of(workspace: WorkspaceId): Redact;
  /** Before a call: waits until what the vault keeps is looked for, as far as it can be read. Undefined: it is. */
  ready(workspace: WorkspaceId): Promise<void> | undefined;
  /** Before a value is given to whoever uses it: waits until it is looked for. Throws what reading throws. */
  require(workspace: WorkspaceId, name: string, version: number): Promise<void>;
  /** For what belongs to no workspace, as the log: the secrets of all whose are known. */
  readonly everywhere: Redact;
}

/** Beyond it the one that was not used for longest is forgotten, and read again when it is needed. */
const WORKSPACES_MAX = 256;
/** Of one workspace, newest versions first. */
const VALUES_MAX = 20_000;

type Known = {
  redact: Redact;
  /** Names and versions of what it looks for. */
  values: ReadonlySet<string>;
  isCurrent: boolean;
  reading: Promise<void> | undefined;
  changes: number;
};

export function createWorkspaceRedactors(vault: SecretValues, say: (message: string) => void): WorkspaceRedactors {
  const known = new Map<WorkspaceId, Known>();
  const entry = (workspace: WorkspaceId): Known => {
    const found = known.get(workspace) ?? {
      redact: withoutForms,
      values: new Set<string>(),
      isCurrent: false,
      reading: undefined,
      changes: 0,
    };
    known.delete(workspace);
    known.set(workspace, found); // The last one used.
    const oldest = known.size > WORKSPACES_MAX ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    return found;
  };
  const read = async (workspace: WorkspaceId, of: Known): Promise<void> => {
    for (let seen = -1; seen !== of.changes; ) {
      seen = of.changes;
      const secrets = await readAll(vault.values(workspace));
      if (secrets.length === VALUES_MAX)
        say(`More than ${VALUES_MAX} values are kept in workspace ${workspace}: the others are not taken out of answers`);
      const redactor = createSecretRedactor(secrets);
      if (redactor.skipped > 0)
        say(
          `The values of workspace ${workspace} are longer than what is looked for: ${redactor.skipped} of them are not taken out of answers`,
        );
      of.redact = redactor.count === 0 ? withoutForms : (text) => withoutForms(redactor.text(text));
      of.values = new Set(secrets.map(({ name, version }) => keyOf(name, version)));
      for (const { value } of secrets) value.fill(0);
    }
    of.isCurrent = true;
  };
  const readOnce = (workspace: WorkspaceId): Promise<void> => {
    const of = entry(workspace);
    of.reading ??= read(workspace, of).finally(() => {
      of.reading = undefined;
    });
    return of.reading;
  };
  const listening = vault.onChange((workspace) => {
    const of = known.get(workspace);
    if (of === undefined) return;
    of.changes += 1;
    of.isCurrent = false;
    void readOnce(workspace).catch(() => {}); // Whoever uses a value, or makes a call, tries again.
  });
  return {
    of: (workspace) => (text) => (known.get(workspace)?.redact ?? withoutForms)(text),
    ready(workspace) {
      const of = entry(workspace);
      if (of.isCurrent) return undefined;
      return readOnce(workspace).catch(() => {
        of.isCurrent = true; // What cannot be read cannot be used: whoever uses a value asks again.
      });
    },
    async require(workspace, name, version) {
      if (!entry(workspace).values.has(keyOf(name, version))) await readOnce(workspace);
    },
    everywhere: (text) => [...known.values()].reduce((result, { redact }) => redact(result), text),
    [Symbol.dispose]() {
      listening[Symbol.dispose]();
      known.clear();
    },
  };
}

/** The newest of each name first: it is the one that is named when several have the same value. */
type ReadValue = { readonly name: string; readonly version: number; readonly value: Uint8Array };

async function readAll(values: ReturnType<SecretValues['values']>): Promise<readonly ReadValue[]> {
  const read: ReadValue[] = [];
  for await (const { name, version, bytes } of values) {
    if (read.length === VALUES_MAX) break;
    read.push({ name, version, value: Uint8Array.from(bytes) });
  }
  return read.toSorted((one, other) => other.version - one.version);
}

function keyOf(name: string, version: number): string {
  return `${name}\0${version}`;
}
