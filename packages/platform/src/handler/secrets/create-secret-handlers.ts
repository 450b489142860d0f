/** `secrets.*`: names, and what each may be used for. No value is ever answered. */
import { randomBytes } from 'node:crypto';
import type { AlertSeverity, SecretRecord } from '@warren/kernel';
import { isFault, type WorkspaceId } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type Handlers } from '../../capability/handler.ts';
import type { Secrets } from '../../vault/secrets.ts';
import type { Vault } from '../../vault/vault.ts';
import { isoOf } from '../internal/iso-time.ts';
import { secretNotFound, vaultError } from './secret-errors.ts';

export type SecretHandlerParts = {
  readonly secrets: (workspace: WorkspaceId) => Secrets;
  readonly vault: Pick<Vault, 'status'>;
};

/** As many as fit into an answer. */
const LISTED_MAX = 1_000;
/** Nobody guesses it, and it is a line of text wherever it is put. */
const RANDOM_BYTES = 32;

const REASONS: Readonly<Record<string, { readonly severity: AlertSeverity; readonly words: string }>> = {
  expiring: { severity: 'info', words: 'it expires soon' },
  auth_failure: { severity: 'warning', words: 'it is refused' },
  compromised: { severity: 'critical', words: 'others may have seen it' },
};

export function createSecretHandlers({ secrets, vault }: SecretHandlerParts): Handlers {
  const mine = ({ actor }: HandlerContext): Secrets => secrets(actor.workspace);
  return {
    'secrets.list': async ({ include_revoked: all }, context) => {
      const found = (await mine(context).list({ limit: LISTED_MAX })).filter(({ revokedAt }) => all === true || revokedAt === undefined);
      return { output: { secrets: found.map(toOutput), total: found.length } };
    },

    'secrets.use': async ({ secret_name: name, capability }, context) => {
      if (!(await mine(context).isUsable(String(name), { kind: 'capability', capability: String(capability) })))
        throw secretNotFound(String(name));
      if ((await vault.status()).state === 'locked') throw vaultError();
      return { output: { used: true } };
    },

    'secrets.rotate': async ({ secret_name: given }, context) => {
      const name = String(given);
      // Its owner has to have said that an agent may.
      if (!(await mine(context).isUsable(name, { kind: 'capability', capability: 'secrets.rotate' }))) throw secretNotFound(name);
      try {
        const { version } = await mine(context).set(name, randomBytes(RANDOM_BYTES).toString('base64url'));
        return { output: { secret_name: name, version } };
      } catch (error) {
        throw isFault(error, 'vault_locked') ? vaultError(error) : error;
      }
    },

    'secrets.rotate_request': async ({ secret_name: given, reason }, context) => {
      const name = String(given);
      const { actor } = context;
      await mine(context)
        .get(name)
        .catch((error: unknown) => {
          throw isFault(error, 'not_found') || isFault(error, 'invalid_argument') ? secretNotFound(name) : error;
        });
      const { severity = 'info', words = '' } = REASONS[String(reason)] ?? {};
      const who = actor.agent === '' ? `Process ${actor.pid}` : `Agent ${actor.agent}`;
      const message = `${who} asks for a new value of secret ${name}: ${words}. To give one: warren secret rotate ${name} --workspace ${actor.workspace}`;
      try {
        const { id } = await context.mine.alerts.send({
          ...{ message, severity, agent: actor.agent, pid: actor.pid },
          context: { secret_name: name, reason: String(reason) },
        });
        return { output: { request_id: id, secret_name: name, status: 'submitted' } };
      } catch (error) {
        throw isFault(error, 'busy') ? new CapabilityError('AlertError', error.message, { cause: error }) : error;
      }
    },
  };
}

function toOutput({ name, type, purpose, bindings, createdAt, revokedAt }: SecretRecord) {
  return {
    ...{ name, type, purpose, allowed_capabilities: [...bindings.capabilities], allowed_hosts: [...bindings.hosts] },
    ...{ created_at: isoOf(createdAt), revoked: revokedAt !== undefined },
  };
}
