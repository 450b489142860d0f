import type { SecretRecord as KeptSecret, Kernel } from '@warren/kernel';
import type { Platform, Secrets } from '@warren/platform';
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { SecretRecord } from '@warren/protocol/contract';
import type { HandlersOf } from './handler.ts';
import { toSeconds, toSecondsOrNull } from './time.ts';

const LISTED_MAX = 1_000;

export function createSecretHandlers({ workspaces }: Pick<Kernel, 'workspaces'>, platform: () => Platform): HandlersOf<'secret.'> {
  /** Of a workspace that is there. */
  const secretsOf = async (workspace: WorkspaceId): Promise<Secrets> => {
    await workspaces.get(workspace);
    return platform().secrets(workspace);
  };
  return {
    async 'secret.set'({ name, value, value_encoding: encoding, ...terms }, { workspace }) {
      const bytes = encoding === 'base64' ? fromBase64(value) : value;
      return toSecret(await (await secretsOf(workspace)).set(name, bytes, terms));
    },

    async 'secret.list'({ after, limit }, { workspace }) {
      const secrets = await (await secretsOf(workspace)).list({ after, limit: Math.min(limit, LISTED_MAX) });
      return { secrets: secrets.map(toSecret) };
    },

    async 'secret.get'({ name }, { workspace }) {
      const found = await (await secretsOf(workspace)).get(name);
      const versions = found.versions.map(({ version, createdAt }) => ({ version, created_at: toSeconds(createdAt) }));
      return { ...toSecret(found), versions };
    },

    async 'secret.change'({ name, ...terms }, { workspace }) {
      return toSecret(await (await secretsOf(workspace)).change(name, terms));
    },

    async 'secret.rollback'({ name, version }, { workspace }) {
      return toSecret(await (await secretsOf(workspace)).rollback(name, version));
    },

    async 'secret.revoke'({ name }, { workspace }) {
      return toSecret(await (await secretsOf(workspace)).revoke(name));
    },

    async 'secret.restore'({ name }, { workspace }) {
      return toSecret(await (await secretsOf(workspace)).restore(name));
    },

    async 'secret.delete'({ name }, { workspace }) {
      const secrets = await secretsOf(workspace);
      try {
        await secrets.delete(name);
        return { deleted: true };
      } catch (error) {
        if (isFault(error, 'not_found')) return { deleted: false };
        throw error;
      }
    },

    async 'secret.rotate_key'(_params, { workspace, waiting }) {
      return { sealed: await (await secretsOf(workspace)).rotateKey(waiting()) };
    },
  };
}

/** Buffer.from skips what is not base64, which would keep something nobody gave. */
function fromBase64(value: string): Uint8Array {
  if (value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) return Buffer.from(value, 'base64');
  throw new Fault('invalid_argument', 'Cannot keep the secret: value: it is not base64', { details: { field: 'value' } });
}

function toSecret({ name, type, purpose, bindings, version, createdAt, updatedAt, revokedAt }: KeptSecret): SecretRecord {
  const { hosts, capabilities, skills } = bindings;
  return {
    ...{ name, type, purpose, version },
    bindings: { hosts: [...hosts], capabilities: [...capabilities], skills: [...skills] },
    ...{ created_at: toSeconds(createdAt), updated_at: toSeconds(updatedAt), revoked_at: toSecondsOrNull(revokedAt) },
  };
}
