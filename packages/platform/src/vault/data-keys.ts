/** The data keys of one workspace: what its secrets are sealed under. Unwrapped when they are first needed, and held in memory from then on. */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { DataKeyRecord, SealedSecrets } from '@warren/kernel';
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import { aboutDataKey } from './about.ts';
import type { RootKeys } from './root-keys.ts';
import { seal, unseal } from './seal.ts';

const KEY_BYTES = 32;

export type DataKey = { readonly number: number; readonly key: KeyObject };

export class DataKeys {
  readonly #workspace: WorkspaceId;
  readonly #sealed: SealedSecrets;
  readonly #roots: () => Promise<RootKeys>;
  #known: Promise<Map<number, KeyObject>> | undefined;

  /** `roots` throws while the vault is locked. */
  constructor(workspace: WorkspaceId, sealed: SealedSecrets, roots: () => Promise<RootKeys>) {
    this.#workspace = workspace;
    this.#sealed = sealed;
    this.#roots = roots;
  }

  /** Faults: `store_failed` (it is none of this workspace's), `vault_locked`. */
  async get(number: number): Promise<KeyObject> {
    const key = (await this.#all()).get(number);
    if (key !== undefined) return key;
    throw new Fault(
      'store_failed',
      `Cannot read a secret of workspace ${this.#workspace}: it is sealed under key ${number}, which is not there`,
    );
  }

  /** The newest; made when there is none. */
  async current(): Promise<DataKey> {
    const known = await this.#all();
    const number = Math.max(0, ...known.keys());
    const key = known.get(number);
    return key === undefined ? await this.add() : { number, key };
  }

  /** A new one, which is current from now on. */
  async add(): Promise<DataKey> {
    const number = Math.max(0, ...(await this.#all()).keys()) + 1;
    const bytes = randomBytes(KEY_BYTES);
    const key = createSecretKey(bytes);
    try {
      await (await this.#roots()).withCurrent((root) => {
        const wrapped = seal(root.key, bytes, aboutDataKey(this.#workspace, number));
        bytes.fill(0);
        return this.#sealed.addDataKey({ number, root: root.number, wrapped });
      });
    } catch (error) {
      if (!isFault(error, 'conflict')) throw error;
      this.#known = undefined; // Somebody else added one meanwhile: theirs is as good.
      return await this.current();
    }
    (await this.#all()).set(number, key);
    return { number, key };
  }

  /** Under the current root key, all that can be read. Returns the numbers of those that cannot: they are left as they are. */
  async rewrap(): Promise<readonly number[]> {
    const roots = await this.#roots();
    return await roots.withCurrent(async (root) => {
      const old = (await this.#sealed.dataKeys()).filter((row) => row.root !== root.number);
      const damaged: number[] = [];
      const rewrapped = old.flatMap((row) => {
        const bytes = this.#tryUnwrap(row, roots);
        if (bytes === undefined) {
          damaged.push(row.number);
          return [];
        }
        try {
          return [{ number: row.number, root: root.number, wrapped: seal(root.key, bytes, aboutDataKey(this.#workspace, row.number)) }];
        } finally {
          bytes.fill(0);
        }
      });
      if (rewrapped.length > 0) await this.#sealed.rewrapDataKeys(rewrapped);
      return damaged;
    });
  }

  forget(): void {
    this.#known = undefined;
  }

  #all(): Promise<Map<number, KeyObject>> {
    this.#known ??= this.#read().catch((error: unknown) => {
      this.#known = undefined; // It may be there the next time.
      throw error;
    });
    return this.#known;
  }

  async #read(): Promise<Map<number, KeyObject>> {
    const roots = await this.#roots();
    const rows = await this.#sealed.dataKeys();
    return new Map(
      rows.map((row) => {
        const bytes = this.#unwrap(row, roots);
        try {
          return [row.number, createSecretKey(bytes)];
        } finally {
          bytes.fill(0);
        }
      }),
    );
  }

  #tryUnwrap({ number, root, wrapped }: DataKeyRecord, roots: RootKeys): Buffer | undefined {
    const key = roots.find(root);
    return key === undefined ? undefined : unseal(key, wrapped, aboutDataKey(this.#workspace, number));
  }

  #unwrap(row: DataKeyRecord, roots: RootKeys): Buffer {
    const bytes = this.#tryUnwrap(row, roots);
    if (bytes !== undefined) return bytes;
    throw new Fault('store_failed', `Cannot read the secrets of workspace ${this.#workspace}: their key is damaged, or of another vault`);
  }
}
