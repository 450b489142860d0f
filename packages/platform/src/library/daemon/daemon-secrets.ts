/** The vault of the daemon. Values go in and never come out, to whoever asks: a skill gets them when it runs. */
import type { Client } from '@warren/client';
import { Fault } from '@warren/protocol';
import type { CredentialSecrets, SecretsBackend } from '../backend.ts';
import type { CallDaemon } from './call-daemon.ts';

/** `passphrase`: what the program says unlocks the vault. Where it says nothing, the daemon knows better. */
export function createDaemonSecrets(
  client: Pick<Client, 'call'>,
  passphrase: () => string | undefined,
): (call: CallDaemon) => SecretsBackend {
  /** Of the passphrase that the daemon was asked about last, whether it is the right one: asking costs a tenth of a second. */
  let checked: { readonly passphrase: string; readonly done: Promise<unknown> } | undefined;
  const check = async (): Promise<void> => {
    const given = passphrase();
    if (given === undefined) return;
    if (checked?.passphrase !== given) {
      const done = client.call('vault.unlock', { passphrase: given });
      const mine = { passphrase: given, done };
      checked = mine;
      done.catch(() => {
        if (checked === mine) checked = undefined; // It is asked again.
      });
    }
    await checked.done;
  };
  return (call) => {
    const secrets = secretsOf(call);
    return {
      locked: async () => secrets,
      async unlocked() {
        await check();
        return secrets;
      },
    };
  };
}

function secretsOf(call: CallDaemon): CredentialSecrets {
  return {
    list: async (page) => (await call('secret.list', page)).secrets,
    async set(name, value, skill) {
      const bindings = { hosts: [], capabilities: [], skills: [skill] };
      await call('secret.set', { name, value, bindings, purpose: `credential of skill ${skill}` });
    },
    async use(name) {
      throw new Fault(
        'unsupported',
        `Cannot read ${JSON.stringify(name)}: a daemon holds the vault, and values never leave it; the skill it belongs to gets it when it runs`,
        { details: { secret: name, fix: 'have the skill run, with skill.run' } },
      );
    },
    async delete(name) {
      const { deleted } = await call('secret.delete', { name });
      if (!deleted) throw new Fault('not_found', `Cannot delete secret ${JSON.stringify(name)}: there is none of this name`);
    },
  };
}
