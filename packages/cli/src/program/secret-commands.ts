/** `warren secret` and `warren vault`: what agents use without seeing it. */
import { type Command, Option } from 'commander';
import { parseCount } from '../internal/number.ts';
import { type StateFlags, type WorkspaceFlags, withDaemon, withJson, withWorkspace } from './state-options.ts';

/** As the contract has them, which would cost the start of every command. */
const TYPES = ['api_key', 'oauth_token', 'agent_auth_token', 'encryption_key', 'password', 'other'] as const;

export type BindingFlags = {
  readonly host?: readonly string[];
  readonly capability?: readonly string[];
  readonly skill?: readonly string[];
};
export type SecretValueFlags = {
  readonly fromFile?: string;
  readonly exact?: true;
  /** Given by mistake. */
  readonly value?: string | true;
};
export type SecretSetFlags = WorkspaceFlags &
  BindingFlags &
  SecretValueFlags & { readonly type?: (typeof TYPES)[number]; readonly purpose?: string };
export type SecretRotateFlags = WorkspaceFlags & SecretValueFlags;
export type SecretBindFlags = WorkspaceFlags & BindingFlags;
export type SecretListFlags = WorkspaceFlags & { readonly names?: true };
export type SecretImportFlags = WorkspaceFlags & { readonly passphraseFile?: string };
export type VaultUnlockFlags = StateFlags & { readonly passphraseFile?: string };
export type VaultPassphraseFlags = StateFlags & {
  readonly passphraseFile?: string;
  readonly currentFile?: string;
  readonly configured?: true;
};
export type VaultRotateFlags = StateFlags & { readonly workspace?: string };

export interface SecretActions {
  secretSet(name: string, words: readonly string[], flags: SecretSetFlags): Promise<void>;
  secretRotate(name: string, words: readonly string[], flags: SecretRotateFlags): Promise<void>;
  secretList(flags: SecretListFlags): Promise<void>;
  secretShow(name: string, flags: WorkspaceFlags): Promise<void>;
  secretBind(name: string, flags: SecretBindFlags): Promise<void>;
  secretUnbind(name: string, flags: SecretBindFlags): Promise<void>;
  secretRollback(name: string, version: number, flags: WorkspaceFlags): Promise<void>;
  secretRevoke(name: string, flags: WorkspaceFlags): Promise<void>;
  secretRestore(name: string, flags: WorkspaceFlags): Promise<void>;
  secretDelete(names: readonly string[], flags: WorkspaceFlags): Promise<void>;
  secretImport(file: string, flags: SecretImportFlags): Promise<void>;
  vaultStatus(flags: StateFlags): Promise<void>;
  vaultUnlock(flags: VaultUnlockFlags): Promise<void>;
  vaultPassphrase(flags: VaultPassphraseFlags): Promise<void>;
  vaultRotate(flags: VaultRotateFlags): Promise<void>;
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
const NAME = ['<name>', 'its name, as github or ci/deploy'] as const;

export function addSecret(program: Command, actions: SecretActions): void {
  const secret = program
    .command('secret')
    .summary('keep what agents use and never see')
    .description(
      'Secrets of a workspace. Agents use them by name, for the hosts and capabilities each is bound to; a value goes in and nobody is shown it.',
    )
    .addHelpText('after', SECRET_HELP);
  const command = (name: string, summary: string, description: string): Command =>
    withJson(withWorkspace(secret.command(name).summary(summary).description(description)));
  const bound = (to: Command): Command =>
    to
      .option('--host <host[:port]>', 'for requests to this host (*.h, **.h: those below it); repeatable', collect)
      .option('--capability <name>', 'for calls of this capability; repeatable', collect)
      .option('--skill <name>', 'for this skill; repeatable', collect);
  const valued = (to: Command): Command =>
    to
      .argument(...NAME)
      .argument('[value...]')
      .usage('[options] <name>')
      .option('--from-file <file>', 'the value is in this file; - is standard input')
      .option('--exact', 'every byte, also a line end at the end')
      .addOption(new Option('--value [value]').hideHelp());

  bound(
    valued(
      command(
        'set',
        'keep a secret, or give it a new value',
        'Keeps a secret. The value is asked for, or read from standard input or a file; it is never an argument. With --host alone it is for what it is for already, else for network.credentialed_request.',
      ),
    ),
  )
    .addOption(new Option('--type <type>', 'what kind of value it is').choices(TYPES))
    .option('--purpose <text>', 'what it is for, for people')
    .action((name: string, words: string[], flags: SecretSetFlags) => actions.secretSet(name, words, flags));

  valued(
    command(
      'rotate',
      'give a secret a new value',
      'Gives a secret that is there a new value, which is used from now on; ten older ones are kept.',
    ),
  ).action((name: string, words: string[], flags: SecretRotateFlags) => actions.secretRotate(name, words, flags));

  command('list', 'list secrets', 'Lists secrets: what each is bound to, never a value.')
    .option('--names', 'only their names, one on a line')
    .action((flags: SecretListFlags) => actions.secretList(flags));

  command('show', 'show what is known of a secret', 'Shows what is known of a secret: bindings and versions, never a value.')
    .argument(...NAME)
    .action((name: string, flags: WorkspaceFlags) => actions.secretShow(name, flags));

  bound(
    command(
      'bind',
      'let a secret be used for more',
      'Adds to what a secret may be used for. With --host alone the host is for what the secret is for already, else for network.credentialed_request.',
    ).argument(...NAME),
  ).action((name: string, flags: SecretBindFlags) => actions.secretBind(name, flags));
  bound(command('unbind', 'let a secret be used for less', 'Takes from what a secret may be used for.').argument(...NAME)).action(
    (name: string, flags: SecretBindFlags) => actions.secretUnbind(name, flags),
  );

  command('rollback', 'use an older value again', 'Makes an older value the one that is used, as a new version.')
    .argument(...NAME)
    .argument('<version>', 'which; `warren secret show` has them', (text: string) => parseCount(text, '<version>'))
    .action((name: string, version: number, flags: WorkspaceFlags) => actions.secretRollback(name, version, flags));

  command('revoke', 'keep a secret from being used', 'Keeps a secret from being used until it is restored; also while the vault is locked.')
    .argument(...NAME)
    .action((name: string, flags: WorkspaceFlags) => actions.secretRevoke(name, flags));
  command('restore', 'let a revoked secret be used again', 'Lets a secret that was revoked be used again.')
    .argument(...NAME)
    .action((name: string, flags: WorkspaceFlags) => actions.secretRestore(name, flags));
  command('delete', 'delete secrets for good', 'Deletes secrets with all their versions, for good; also while the vault is locked.')
    .argument('<names...>', 'their names')
    .action((names: string[], flags: WorkspaceFlags) => actions.secretDelete(names, flags));

  command(
    'import',
    'take over credentials.enc.json of an earlier system',
    'Takes over what an earlier system kept as credentials.enc.json: each variable of a skill becomes the secret SKILL/VARIABLE, bound to that skill. What is damaged is named, and the rest comes in.',
  )
    .argument('<file>', 'the file')
    .option('--passphrase-file <file>', 'its passphrase is in this file; - is standard input')
    .action((file: string, flags: SecretImportFlags) => actions.secretImport(file, flags));
}

export function addVault(program: Command, actions: SecretActions): void {
  const vault = program
    .command('vault')
    .summary('what the secrets are locked with')
    .description(
      'The vault holds the secrets of all workspaces, under keys that a key file, a credential of systemd, a command or a passphrase unlocks.',
    )
    .addHelpText('after', VAULT_HELP);
  const command = (name: string, summary: string, description: string): Command =>
    withJson(withDaemon(vault.command(name).summary(summary).description(description)));

  command(
    'status',
    'say whether it is unlocked',
    'Says whether the vault is unlocked and what unlocks it. Exits 1 when it is locked.',
  ).action((flags: StateFlags) => actions.vaultStatus(flags));
  command('unlock', 'unlock it', 'Unlocks the vault: with its passphrase where it has one, else with the key that the configuration names.')
    .option('--passphrase-file <file>', 'the passphrase is in this file; - is standard input')
    .action((flags: VaultUnlockFlags) => actions.vaultUnlock(flags));
  command(
    'passphrase',
    'lock it with another passphrase or key',
    'Locks the vault with a new passphrase, or with the key that the configuration names.',
  )
    .option('--passphrase-file <file>', 'the new passphrase is in this file; - is standard input')
    .option('--current-file <file>', 'the passphrase that unlocks it now is in this file')
    .addOption(new Option('--configured', 'with the key that config.yaml names, or a key file').conflicts('passphraseFile'))
    .action((flags: VaultPassphraseFlags) => actions.vaultPassphrase(flags));
  command(
    'rotate',
    'replace its keys',
    'Wraps the keys of all workspaces with a new root key, or seals the secrets of one workspace under a new key of its own.',
  )
    .option('--workspace <name>', 'the key of this workspace')
    .action((flags: VaultRotateFlags) => actions.vaultRotate(flags));
}

const SECRET_HELP = `
Examples:
  $ pass show github | warren secret set github --type api_key --host api.github.com
  $ warren secret set smtp --from-file smtp.txt --host mail.example.com:587 --capability mail.send
  $ warren secret rotate github
  $ warren secret unbind github --host api.github.com
  $ warren secret import credentials.enc.json --workspace acme`;

const VAULT_HELP = `
Examples:
  $ warren vault passphrase               from now on somebody unlocks it after each start
  $ warren vault unlock
  $ warren vault rotate --workspace acme`;
