/** The root keys of a life of the daemon: had when they are first needed, by the key that the configuration names or by a person. */
import { join } from 'node:path';
import { Fault, isFault } from '@warren/protocol';
import { Turn } from '../internal/turn.ts';
import { configuredKey } from './configured-key.ts';
import { openRootKeys, type RootKeyParts, type RootKeys } from './root-keys.ts';
import type { KeySource, KeySourceKind } from './unlock-key.ts';
import type { VaultStatus } from './vault.ts';
import { readVaultFile, VAULT_FILE } from './vault-file.ts';
import type { VaultKeyConfig } from './vault-key-config.ts';

export type HeldRootsParts = RootKeyParts & {
  /** As the configuration has it now. */
  readonly key: () => VaultKeyConfig | undefined;
  /** Whether the store has anything that is sealed: then a vault that is gone is not replaced by a new one. */
  readonly hasSealed: () => Promise<boolean>;
  /** Called once: what could not be read before can be from now on. */
  readonly onUnlock: () => void;
  /** For the log: why it is locked, once. */
  readonly say: (message: string) => void;
};

/** In the state directory. */
export const KEY_FILE = 'vault.key';
/** A key that did not fit is not tried again for each use: trying costs 64 MiB and a tenth of a second. */
const TRIED_AGAIN_MS = 5_000;

export class HeldRoots {
  readonly #parts: HeldRootsParts;
  #roots: RootKeys | undefined;
  #refused: { readonly fault: Fault; readonly reason: string; readonly at: number } | undefined;
  /** One attempt at a time, whoever asks. */
  readonly #turn = new Turn();
  readonly #inherited = new Map<number, string>();
  #said = '';

  constructor(parts: HeldRootsParts) {
    this.#parts = parts;
  }

  /** Faults: `vault_locked`, `store_failed`. */
  async get(): Promise<RootKeys> {
    return this.#roots ?? (await this.#turn.take(() => this.#open()));
  }

  /** Tries to open it where there is one: whoever asks wants to know whether it works. */
  async status(): Promise<VaultStatus> {
    if (this.#roots === undefined && (await this.#lockedWith()) !== undefined) await this.get().catch(() => {}); // The reason is kept.
    const key = this.#roots?.kind() ?? (await this.#lockedWith());
    const state = this.#roots !== undefined ? 'unlocked' : key === undefined ? 'absent' : 'locked';
    const configured = this.#parts.key();
    const isKeyBeside = (key ?? configured?.kind ?? 'file') === 'file' && this.#isBeside(configured);
    return { state, key, isKeyBeside, reason: state === 'unlocked' ? undefined : this.#refused?.reason };
  }

  /** Opens nothing: whether somebody has to unlock it is known from its file. */
  async tellIfLocked(): Promise<void> {
    try {
      const key = this.#parts.key();
      const isForPeople =
        key === undefined || (key.kind === 'passphrase' && key.env === undefined && key.file === undefined && key.descriptor === undefined);
      if (isForPeople && (await this.#lockedWith()) === 'passphrase') this.#refuse(lockedForPeople());
    } catch (error) {
      this.#refuse(error);
    }
  }

  async unlock(passphrase: string | undefined): Promise<VaultStatus> {
    await this.#turn.take(async () => {
      if (this.#roots !== undefined) return passphrase === undefined ? undefined : await this.#verify(passphrase);
      this.#refused = undefined; // Somebody asks: it is tried now.
      if (passphrase === undefined) await this.#open();
      else await this.#openWith(passphrase);
    });
    return await this.status();
  }

  async changeKey({ passphrase, current }: { readonly passphrase?: string | undefined; readonly current?: string | undefined }) {
    await this.#turn.take(async () => {
      const roots = this.#roots ?? (await this.#open());
      if (roots.kind() === 'passphrase') await this.#verify(current);
      if (passphrase !== undefined) return await roots.changeSource({ kind: 'passphrase', passphrase });
      const next = await configuredKey(this.#parts.key(), undefined, this.#keyParts());
      if (next !== undefined) return await roots.changeSource(next);
      throw new Fault('invalid_argument', 'Cannot change the key of the vault: the configuration names none, and no passphrase is given', {
        details: { field: 'passphrase' },
      });
    });
    return await this.status();
  }

  async #open(): Promise<RootKeys> {
    if (this.#roots !== undefined) return this.#roots; // Somebody was before us.
    if (this.#refused !== undefined && this.#parts.now() < this.#refused.at + TRIED_AGAIN_MS) throw this.#refused.fault;
    try {
      this.#roots = await openRootKeys(await this.#configured(), this.#parts);
    } catch (error) {
      throw this.#refuse(error);
    }
    this.#refused = undefined;
    this.#parts.onUnlock();
    return this.#roots;
  }

  async #configured(): Promise<KeySource> {
    const lockedWith = await this.#lockedWith();
    if (lockedWith === undefined) await this.#requireNew();
    const key = await configuredKey(this.#parts.key(), lockedWith, this.#keyParts());
    if (key !== undefined) return key;
    throw lockedForPeople();
  }

  async #openWith(passphrase: string): Promise<void> {
    const configured = this.#parts.key();
    const isNew = (await this.#lockedWith()) === undefined;
    if (isNew) await this.#requireNew();
    if (isNew && configured !== undefined && configured.kind !== 'passphrase') {
      throw new Fault(
        'invalid_argument',
        `Cannot make the vault with a passphrase: the configuration names a ${configured.kind} as its key`,
        { details: { field: 'passphrase' } },
      );
    }
    this.#roots = await openRootKeys({ kind: 'passphrase', passphrase }, this.#parts);
    this.#parts.onUnlock();
  }

  async #requireNew(): Promise<void> {
    if (!(await this.#parts.hasSealed())) return;
    throw new Fault(
      'store_failed',
      `Cannot open the vault: ${VAULT_FILE} is gone from the state directory, and there are secrets that it unlocks; bring it back from a backup`,
      { details: { vault: 'gone' } },
    );
  }

  async #verify(current: string | undefined): Promise<void> {
    if (current === undefined) {
      throw new Fault('permission_denied', 'Cannot change the key of the vault: the passphrase that unlocks it now is not given', {
        details: { field: 'current' },
      });
    }
    await openRootKeys({ kind: 'passphrase', passphrase: current }, this.#parts);
  }

  #refuse(error: unknown): unknown {
    if (!isFault(error) || error.code === 'storage_full') return error; // The key is not to blame, and with room it is tried again.
    const fault = error.code === 'store_failed' || error.code === 'vault_locked' ? error : lockedBy(error);
    const reason = error.message;
    this.#refused = { fault, reason, at: this.#parts.now() };
    if (this.#said !== reason) this.#parts.say(`${reason}; until then nothing that needs a secret is done`);
    this.#said = reason;
    return fault;
  }

  async #lockedWith(): Promise<KeySourceKind | undefined> {
    return (await readVaultFile(this.#parts.directory))?.unlock.kind;
  }

  #isBeside(configured: VaultKeyConfig | undefined): boolean {
    return configured === undefined || (configured.kind === 'file' && configured.path.startsWith(join(this.#parts.directory, '/')));
  }

  #keyParts() {
    const { directory, environment } = this.#parts;
    return { keyFile: join(directory, KEY_FILE), environment, inherited: this.#inherited };
  }
}

function lockedForPeople(): Fault {
  return new Fault('vault_locked', 'Cannot use the vault: it is locked, and somebody unlocks it with its passphrase after each start', {
    details: { fix: 'warren vault unlock' },
  });
}

/** The key that the configuration names does not unlock it. Why stands in the log and in the status: it names files of this machine, which whoever needs a secret need not know. */
function lockedBy(cause: Fault): Fault {
  return new Fault('vault_locked', 'Cannot use the vault: it is locked, and the key that the configuration names does not unlock it', {
    details: { fix: 'warren vault status, which says why' },
    cause,
  });
}
