/** Commands about the daemon itself: serve, status, stop, service. */
import { Fault } from '@warren/protocol';
import { type Command, Option } from 'commander';
import { parseDuration } from '../internal/duration.ts';
import { safeText } from '../internal/safe-text.ts';
import type { WebFlags } from '../internal/web-options.ts';
import { type StateFlags, withDaemon, withJson, withState } from './state-options.ts';

export const RECOVERIES = ['resume', 'suspend', 'mark-dead'] as const;

export type ServeFlags = StateFlags &
  WebFlags & {
    readonly listen?: readonly string[];
    /** False after `--no-tcp`. */
    readonly tcp: boolean;
    readonly recovery?: (typeof RECOVERIES)[number];
    readonly detach?: true;
  };
export type StopFlags = StateFlags & { readonly drain?: number; readonly timeout?: number };
export type ServiceFlags = StateFlags & { readonly print?: true };

export interface DaemonActions {
  serve(flags: ServeFlags): Promise<void>;
  status(flags: StateFlags): Promise<void>;
  stop(flags: StopFlags): Promise<void>;
  serviceInstall(flags: ServiceFlags): Promise<void>;
}

const collect = (text: string, earlier: readonly string[] = []): readonly string[] => [...earlier, text];

export function addServe(program: Command, actions: DaemonActions): void {
  const serve = withState(
    program
      .command('serve')
      .summary('run the daemon')
      .description(
        'Runs the daemon: it keeps processes, events, mail, queues and files of agents, and answers programs that ask for them.',
      ),
  )
    .option(
      '--listen <address>',
      'unix:PATH or tcp:HOST:PORT, in place of the default of its kind; repeatable',
      (text, earlier: string[] = []) => [...earlier, text],
    )
    .option('--no-tcp', 'listen on the unix socket only')
    .addOption(
      new Option('--tls <kind>', 'TLS on every TCP address, with a certificate of its own that is made once').choices(['self-signed']),
    )
    .option('--tls-cert <file>', 'TLS with this certificate and those that vouch for it (PEM); read again when it changes')
    .option('--tls-key <file>', 'its key (PEM)')
    .option('--plain', 'no TLS, also on an address that others can reach')
    .option('--origin <url>', 'https://NAME by which browsers reach it, through a proxy perhaps; repeatable', collect)
    .option('--trust-proxy <address>', 'believe this address or network in X-Forwarded-For; repeatable', collect)
    .addOption(
      new Option('--recovery <policy>', 'what becomes of processes that a crash interrupted (default: resume)').choices(RECOVERIES),
    )
    .option('--detach', 'start it in the background and return when it answers');
  withJson(serve)
    .addHelpText('after', SERVE_HELP)
    .action((flags: ServeFlags) => actions.serve(flags));
}

export function addStatus(program: Command, actions: DaemonActions): void {
  withJson(
    withDaemon(
      program
        .command('status')
        .summary('say whether the daemon runs')
        .description('Says whether the daemon runs, and where. Exits 1 when it does not.'),
    ),
  ).action((flags: StateFlags) => actions.status(flags));
}

export function addStop(program: Command, actions: DaemonActions): void {
  const stop = withState(
    program
      .command('stop')
      .summary('stop the daemon')
      .description(
        'Asks the daemon to end, and waits until it has. Calls of capabilities that are under way have a while to end and are answered; what has not ended then is cancelled. New calls are refused, streams and whoever waits for something end at once. What is scheduled or waits for approval is kept.',
      ),
  )
    .addOption(
      new Option('--drain <duration>', 'how long calls under way may take; 0s cancels them at once; default 10s').argParser(parseDrain),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the daemon to be gone; default 20s more than that').argParser(
        (text: string) => parseDuration(text, '--timeout'),
      ),
    );
  withJson(stop).action((flags: StopFlags) => actions.stop(flags));
}

/** The contract allows no more. */
const DRAIN_MS_MAX = 3_600_000;

function parseDrain(text: string): number {
  const drainMs = /^0(?:ms|[smhd])$/.test(text) ? 0 : parseDuration(text, '--drain');
  if (drainMs <= DRAIN_MS_MAX) return drainMs;
  throw new Fault('invalid_argument', `Cannot use "${safeText(text)}" for --drain: it must be at most 1h`, {
    details: { option: '--drain' },
  });
}

export function addService(program: Command, actions: DaemonActions): void {
  const service = program
    .command('service')
    .summary('run the daemon as a service of the system')
    .description('Runs the daemon as a service of the system.');
  withState(
    service
      .command('install')
      .summary('print a systemd unit')
      .description('Prints a systemd unit for this machine and this program. It installs nothing by itself.'),
  )
    .option('--print', 'print the unit on standard output')
    .addHelpText('after', SERVICE_HELP)
    .action((flags: ServiceFlags) => actions.serviceInstall(flags));
}

const SERVE_HELP = `
Listens on the unix socket \`warren.sock\` in the state directory, which only its owner may use, and on tcp:127.0.0.1:7700, where
a token is needed (\`warren token create\`). The unix socket is always there; --listen unix:PATH moves it.

Examples:
  $ warren serve                                         in this terminal, until Ctrl-C
  $ warren serve --detach && warren status
  $ warren serve --no-tcp --state ~/agents
  $ warren serve --listen tcp:127.0.0.1:0 --json         any free port; says which
  $ warren serve --listen tcp:0.0.0.0:7700 --tls self-signed
                                                         for other machines; says the fingerprint to compare

Exit codes:
  0      stopped when asked
  1      another daemon has the state directory, or an address is taken
  2      wrong usage
  3      the store cannot be opened: no access, no space, damaged, or of a newer version

Signals:
  SIGTERM, Ctrl-C   let calls under way end for up to 10 seconds, answer them, then end;
                    a second one cancels and answers them at once, a third one ends at once
  SIGHUP            read certificate, configuration, policies, packs and hooks again; from a terminal that is closed: end`;

const SERVICE_HELP = `
Examples:
  # warren service install --print > /etc/systemd/system/warren.service
  # systemctl daemon-reload && systemctl enable --now warren`;
