/**
 * The secrets of one workspace. A value goes in and is used, and nobody is shown it: not the agent for which it is used, not the person who set it. Each is bound to what it may be used with; one that
 * is bound to nothing can be used for nothing. While the vault is locked, whatever needs a value throws `vault_locked`.
 */
import type { SecretBindings, SecretRecord } from '@warren/kernel';

export const SECRET_TYPES = ['api_key', 'oauth_token', 'agent_auth_token', 'encryption_key', 'password', 'other'] as const;
export type SecretType = (typeof SECRET_TYPES)[number];

/** Lists that are absent are not meant. */
export type SomeBindings = { readonly [List in keyof SecretBindings]?: SecretBindings[List] | undefined };

export type SecretTerms = {
  readonly type?: SecretType | undefined;
  /** What it is for: at most 1,024 characters. */
  readonly purpose?: string | undefined;
  /** A list that is absent: as it is, and of a new secret empty. */
  readonly bindings?: SomeBindings | undefined;
  /** On top of what there is. */
  readonly bind?: SomeBindings | undefined;
  /** No more. */
  readonly unbind?: SomeBindings | undefined;
};

export type SecretDetails = SecretRecord & {
  /** Those that are kept, newest first. */
  readonly versions: readonly { readonly version: number; readonly createdAt: number }[];
};

/** What somebody is about to use a secret for. */
export type SecretUse =
  /** In a request that a capability makes to a host. */
  | { readonly kind: 'request'; readonly capability: string; readonly host: string; readonly port: number }
  /** In the environment of a program that an operator configured, by the capability it is for. */
  | { readonly kind: 'program'; readonly capability: string }
  /** In the environment of a skill's own sandbox. */
  | { readonly kind: 'skill'; readonly skill: string };

/** Any request of it: for what only asks whether there is something to use. */
export type CapabilityUse = { readonly kind: 'capability'; readonly capability: string };

/** The value, while it is used. Disposing wipes it; a string that was made of it cannot be wiped. */
export interface SecretValue extends Disposable {
  readonly bytes: Uint8Array;
  readonly version: number;
}

/** A secret on its way from one vault to another: open, with all its versions. It exists between two seals and is wiped after the second. */
export type SecretCopy = Omit<SecretRecord, 'revision'> & {
  /** Newest first; the first is the one that is used. */
  readonly versions: readonly { readonly version: number; readonly createdAt: number; readonly bytes: Uint8Array }[];
};

export interface Secrets {
  /**
   * Makes a secret or gives it a new value, which is used from now on; ten older ones are kept. Names: 1 to 256 of letters, digits and `_ . - /`. Values: 1 byte to 64 KiB.
   * Faults: `invalid_argument` (which field), `too_large`.
   */
  set(name: string, value: Uint8Array | string, terms?: SecretTerms): Promise<SecretRecord>;
  /** Metadata, also while the vault is locked. Faults: `not_found`. */
  get(name: string): Promise<SecretDetails>;
  /** By name, those after `after`; at most 1,000. Also while the vault is locked. */
  list(page?: { readonly limit?: number | undefined; readonly after?: string | undefined }): Promise<readonly SecretRecord[]>;
  /** Another purpose, type or bindings for the same value; another purpose also while the vault is locked. Faults: `not_found`, `invalid_argument`. */
  change(name: string, terms: SecretTerms): Promise<SecretRecord>;
  /** Makes an older value the one that is used, as a new version. Faults: `not_found` (the secret, or a version that is not kept). */
  rollback(name: string, version: number): Promise<SecretRecord>;
  /** It is there and cannot be used, until it is restored. Both also while the vault is locked. Faults: `not_found`. */
  revoke(name: string): Promise<SecretRecord>;
  restore(name: string): Promise<SecretRecord>;
  /** With all its versions, for good; also while the vault is locked. Faults: `not_found`. */
  delete(name: string): Promise<void>;
  /**
   * The value for this use; who asked disposes it. Undefined when there is no such secret, it is revoked, or it is not bound to this: whoever asks for an agent learns no
   * more than that. Faults: `store_failed` (it was tampered with).
   */
  use(name: string, use: SecretUse): Promise<SecretValue | undefined>;
  /** Whether it could be used for this, as far as its record says: nothing is unsealed. */
  isUsable(name: string, use: SecretUse | CapabilityUse): Promise<boolean>;
  /**
   * Every value that is kept, older versions and revoked ones too: for what takes values out of texts, and for nothing else. Each is wiped when the next is asked for.
   * One that is damaged is left out.
   */
  values(): AsyncGenerator<{ readonly name: string; readonly version: number; readonly bytes: Uint8Array }, void, undefined>;
  /** All of them, open and with every version, for what seals them for another vault, and for nothing else. Each is wiped when the next is asked for. Faults: `store_failed` (one is damaged), `vault_locked`. */
  copies(): AsyncGenerator<SecretCopy, void, undefined>;
  /** Seals everything under a new data key; secrets can be used meanwhile. Returns how many were sealed again. */
  rotateKey(signal?: AbortSignal): Promise<number>;
}
