/** `warren person`: who signs in. */
import { type Command, Option } from 'commander';
import { type StateFlags, withDaemon, withJson } from './state-options.ts';

const ROLES = ['viewer', 'approver', 'admin'] as const;

/** Who vouches for somebody, and what they are called there. */
export type IdentityFlags = { readonly issuer?: string; readonly subject?: string; readonly identity?: false };
export type PassphraseFlags = { readonly passphraseFile?: string; readonly passphrase?: boolean };

export type PersonCreateFlags = StateFlags &
  PassphraseFlags &
  IdentityFlags & {
    readonly workspace: string;
    readonly role: (typeof ROLES)[number];
    readonly operator?: true;
    readonly group?: readonly string[];
  };
export type PersonUpdateFlags = StateFlags &
  PassphraseFlags &
  IdentityFlags & { readonly role?: (typeof ROLES)[number]; readonly group?: readonly string[]; readonly groups?: false };
export type PersonListFlags = StateFlags & { readonly workspace?: string };

export interface PersonActions {
  personCreate(name: string, flags: PersonCreateFlags): Promise<void>;
  personList(flags: PersonListFlags): Promise<void>;
  personUpdate(name: string, flags: PersonUpdateFlags): Promise<void>;
  personDisable(name: string, flags: StateFlags): Promise<void>;
  personEnable(name: string, flags: StateFlags): Promise<void>;
  personDelete(name: string, flags: StateFlags): Promise<void>;
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export function addPerson(program: Command, actions: PersonActions): void {
  const person = program
    .command('person')
    .summary('say who signs in')
    .description(
      'People sign in with name and passphrase, or through a provider. What they may do is their role in a workspace; an operator may do everything.',
    );
  const command = (name: string, summary: string, description: string): Command =>
    withJson(withDaemon(person.command(name).summary(summary).description(description)));
  const named = (name: string, summary: string, description: string): Command =>
    command(name, summary, description).argument('<name>', 'the name they sign in as');

  named(
    'create',
    'let somebody sign in',
    'Lets somebody sign in. The passphrase is asked for, or read from standard input or a file; it is never an argument.',
  )
    .option('--workspace <name>', 'the workspace they belong to', 'default')
    .addOption(new Option('--role <role>', 'what they may do there').choices(ROLES).default('viewer'))
    .addOption(new Option('--operator', 'they may do everything, in every workspace').conflicts(['role', 'workspace']))
    .option('--group <name>', 'a group they are in, which says what they may approve; repeatable', collect)
    .option('--passphrase-file <file>', 'the passphrase is in this file; - is standard input')
    .option('--no-passphrase', 'they sign in by none')
    .option('--issuer <url>', 'they sign in through the provider of this issuer; with --subject, and by no passphrase unless one is given')
    .option('--subject <id>', 'what that issuer calls them')
    .addHelpText('after', CREATE_HELP)
    .action((name: string, flags: PersonCreateFlags) => actions.personCreate(name, flags));

  command('list', 'list people', 'Lists people: where they belong, what they may do, how they sign in. Never a passphrase.')
    .option('--workspace <name>', 'only those of this workspace')
    .action((flags: PersonListFlags) => actions.personList(flags));

  named('update', 'change somebody', 'Changes role, groups, passphrase or identity of somebody. Their sessions end.')
    .addOption(new Option('--role <role>', 'what they may do in their workspace').choices(ROLES))
    .option('--group <name>', 'the groups they are in from now on; repeatable', collect)
    .option('--no-groups', 'they are in none from now on')
    .option('--passphrase', 'ask for a new passphrase')
    .option('--passphrase-file <file>', 'the new passphrase is in this file; - is standard input')
    .option('--no-passphrase', 'they sign in by none from now on')
    .option('--issuer <url>', 'they sign in through the provider of this issuer; with --subject')
    .option('--subject <id>', 'what that issuer calls them')
    .option('--no-identity', 'they sign in through no provider from now on')
    .action((name: string, flags: PersonUpdateFlags) => actions.personUpdate(name, flags));

  named('disable', 'let somebody in no more', 'Ends the sessions of somebody and lets them in no more.').action(
    (name: string, flags: StateFlags) => actions.personDisable(name, flags),
  );
  named('enable', 'let somebody in again', 'Lets somebody sign in again.').action((name: string, flags: StateFlags) =>
    actions.personEnable(name, flags),
  );
  named('delete', 'forget somebody', 'Deletes somebody, with their sessions.').action((name: string, flags: StateFlags) =>
    actions.personDelete(name, flags),
  );
}

const CREATE_HELP = `
Examples:
  $ warren person create ann --role approver --group maintainers
  $ warren person create root --operator --passphrase-file passphrase.txt
  $ pass show warren/ann | warren person create ann
  $ warren person create bob --issuer https://login.example.org --subject 248289761001`;
