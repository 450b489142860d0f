/** A daemon on another machine, or of another user: by its address, and with what `warren login` keeps for it. */
import { type Client, connect } from '@warren/client';
import { DEFAULT_WORKSPACE, Fault, isFault } from '@warren/protocol';
import type { StateFlags } from '../program/state-options.ts';
import { Credentials } from './credentials.ts';
import type { Host } from './host.ts';
import { shellWord } from './shell-words.ts';
import { nextCommand, type PlaceFlags } from './state-path.ts';

/**
 * Which server a command means: `--server`, else WARREN_SERVER. Undefined: the daemon of a state directory, which `--state` asks for whatever the environment says.
 * Throws `invalid_argument`.
 */
export function serverOf({ server, state }: StateFlags, { env }: Pick<Host, 'env'>): string | undefined {
  if (server !== undefined && state !== undefined) {
    throw new Fault('invalid_argument', 'Cannot ask a server and the daemon of a state directory: leave out --server or --state');
  }
  const given = server ?? (state === undefined ? env['WARREN_SERVER'] : undefined);
  return given === undefined || (given === '' && server === undefined) ? undefined : readServer(given);
}

/** For what is done on the machine of the daemon itself. Throws `unsupported` where another one is meant: what is done to the wrong one cannot be taken back. */
export function requireHere(flags: StateFlags, host: Pick<Host, 'env'>, action: string): void {
  const server = serverOf(flags, host);
  if (server === undefined) return;
  throw new Fault('unsupported', `Cannot ${action}: WARREN_SERVER is ${server}, and this is done on the machine of the daemon`, {
    details: { fix: 'run it there; for the daemon of this machine: unset WARREN_SERVER, or --state DIRECTORY' },
  });
}

/** As it is kept: `https://NAME:PORT`. */
export function readServer(text: string): string {
  const url = URL.parse(text);
  if (url !== null && ['http:', 'https:'].includes(url.protocol) && [url.origin, `${url.origin}/`].includes(url.href)) return url.origin;
  // Not repeated: there may be a passphrase in it.
  throw new Fault('invalid_argument', 'Cannot use this as a server: it is https://NAME or https://NAME:PORT and nothing more', {
    details: { option: '--server' },
  });
}

/** What was logged in with. Throws `unauthenticated`, with the command that logs in. */
export function credentialFor(server: string, host: Host) {
  const found = new Credentials(host).find(server);
  if (found !== undefined) return found;
  throw new Fault('unauthenticated', `Cannot ask ${server}: nobody is logged in there`, { details: { fix: loginCommand(server) } });
}

/** `place`: as it was named by a word, which what the server says to type next repeats. The client is the caller's to close. */
export function openServerClient(server: string, host: Host, workspace?: string, place: PlaceFlags = {}): Client {
  const { token, fingerprint } = credentialFor(server, host);
  // The default one is of whoever calls: members of another have no other.
  const named = workspace === DEFAULT_WORKSPACE ? undefined : workspace;
  const client = connect({ url: server, token, fingerprint, workspace: named, attemptsMax: 1, timeoutMs: 0 });
  return {
    address: client.address,
    call: (...call) =>
      client.call(...call).catch((error: unknown) => {
        throw withPlace(withLoginAdvice(error, server), place);
      }),
    events: (...follow) => client.events(...follow),
    close: () => client.close(),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A command that names no place and nothing else: what a daemon says to type, which does not know how it was reached. */
const NEXT = /^warren ((?:[a-z][a-z-]*)(?: [\w.][\w.-]*)*)$/;

function withPlace(error: unknown, place: PlaceFlags): unknown {
  const fix = isFault(error) ? (error.details as Readonly<Record<string, unknown>> | undefined)?.['fix'] : undefined; // Any fault may have it.
  const words = typeof fix === 'string' ? NEXT.exec(fix)?.[1] : undefined;
  if (!isFault(error) || words === undefined || place.server === undefined) return error;
  return new Fault(error.code, error.message, { details: { ...error.details, fix: nextCommand(words, place) }, cause: error });
}

/** The same fault, with what to type when the server knows us no more, or we do not know it. */
export function withLoginAdvice(error: unknown, server: string): unknown {
  return isFault(error, 'unauthenticated') ? withFix(error, loginCommand(server)) : withTrustAdvice(error, server);
}

/** The same fault, with what to type when the certificate of the server is not one we know. */
export function withTrustAdvice(error: unknown, server: string): unknown {
  if (!isFault(error)) return error;
  const details: Readonly<Record<string, unknown>> | undefined = error.details;
  if (details?.['is_certificate'] !== true) return error;
  return withFix(error, `compare with what \`warren status\` says on that machine, then: ${loginCommand(server)} --fingerprint SHA256`);
}

function withFix(error: Fault, fix: string): Fault {
  return error.details?.['fix'] === undefined
    ? new Fault(error.code, error.message, { details: { ...error.details, fix }, cause: error })
    : error;
}

export function loginCommand(server: string): string {
  return `warren login --server ${shellWord(server)}`;
}
