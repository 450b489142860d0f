/** `warren login`, `logout` and `whoami`: who the commands are, on a server. */
import type { Command } from 'commander';
import type { PassphraseFlags } from './person-commands.ts';
import { type StateFlags, withDaemon, withJson, withServer } from './state-options.ts';

export type LoginFlags = StateFlags &
  PassphraseFlags & { readonly name?: string; readonly tokenFile?: string; readonly fingerprint?: string; readonly plain?: true };

export interface LoginActions {
  login(flags: LoginFlags): Promise<void>;
  logout(flags: StateFlags): Promise<void>;
  whoami(flags: StateFlags): Promise<void>;
}

export function addLogin(program: Command, actions: LoginActions): void {
  const login = program
    .command('login')
    .summary('be somebody on a server')
    .description(
      'Signs in on a server by name and passphrase, or with a token, and keeps what commands with --server need, readable by nobody else. Neither is ever an argument.',
    );
  withJson(withServer(login))
    .option('--name <name>', 'the name you sign in as')
    .option('--passphrase-file <file>', 'the passphrase is in this file; - is standard input')
    .option('--token-file <file>', 'a token in place of name and passphrase is in this file; - is standard input')
    .option('--fingerprint <sha256>', 'the certificate of the server, as `warren status` says it there; for one that no authority signed')
    .option('--plain', 'also over plain http to another machine')
    .addHelpText('after', LOGIN_HELP)
    .action((flags: LoginFlags) => actions.login(flags));
}

export function addLogout(program: Command, actions: LoginActions): void {
  withJson(
    withServer(
      program
        .command('logout')
        .summary('be nobody on a server any more')
        .description('Ends the session on a server, and forgets what was kept for it. A token that was made by itself stays good.'),
    ),
  ).action((flags: StateFlags) => actions.logout(flags));
}

export function addWhoami(program: Command, actions: LoginActions): void {
  withJson(
    withDaemon(
      program
        .command('whoami')
        .summary('say who you are to the daemon')
        .description('Says who you are to the daemon: as whom, of which workspace, in which role.'),
    ),
  ).action((flags: StateFlags) => actions.whoami(flags));
}

const LOGIN_HELP = `
Examples:
  $ warren login --server https://warren.example.org --name ann
  $ warren login --server https://10.0.0.7:7700 --name ann --fingerprint 5E:1F:…
  $ pass show warren/ci | warren login --server https://warren.example.org --token-file -
  $ export WARREN_SERVER=https://warren.example.org
  $ warren whoami && warren agent list`;
