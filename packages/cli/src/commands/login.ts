/** `warren login`, `logout` and `whoami`. */
import { readFingerprint, type Session, signIn, signOut, socketPath, whoAmI } from '@warren/client';
import { Fault, isFault, isLoopback } from '@warren/protocol';
import { Credentials } from '../internal/credentials.ts';
import { noDaemon } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { readPassphrase, readToken } from '../internal/read-passphrase.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { credentialFor, loginCommand, serverOf, withLoginAdvice, withTrustAdvice } from '../internal/server-link.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import type { LoginFlags } from '../program/login-commands.ts';
import type { StateFlags } from '../program/state-options.ts';

const GIVE_UP_MS = 5_000;

export async function login(flags: LoginFlags, host: Host): Promise<number> {
  const server = requireServer(flags, host, 'log in');
  checkPlain(server, flags);
  const credentials = new Credentials(host);
  // What is known of the server already is not forgotten by logging in again.
  const known = flags.fingerprint ?? credentials.find(server)?.fingerprint;
  const pin = known === undefined ? {} : { fingerprint: readFingerprint(known) };
  const address = { url: server, ...pin };
  return await interruptible(host, async (signal) => {
    try {
      const { token, who, isOpened } = await authenticate(flags, address, host, signal);
      try {
        await credentials.save(server, { token, ...pin }, signal);
      } catch (error) {
        if (isOpened) await giveUp({ ...address, token }, host);
        throw error;
      }
      return await say({ server, ...described(who) }, `Logged in on ${server} as ${holderWord(who)}.\n`, flags, host);
    } catch (error) {
      throw withTrustAdvice(error, server);
    }
  });
}

/** A session is ended; a token somebody made is only forgotten. Without the server it is forgotten all the same. */
export async function logout(flags: StateFlags, host: Host): Promise<number> {
  const server = requireServer(flags, host, 'log out');
  const { token, fingerprint } = credentialFor(server, host);
  return await interruptible(host, async (signal) => {
    const left = await endSession({ url: server, token, fingerprint }, signal, nextCommand('token revoke ID', flags));
    await new Credentials(host).remove(server, signal);
    if (left !== undefined) await host.stderr.write(`warren: ${safeText(left)}\n`);
    return await say({ server, ended: left === undefined }, `Logged out on ${server}.\n`, flags, host);
  });
}

export async function whoami(flags: StateFlags, host: Host): Promise<number> {
  const server = serverOf(flags, host);
  return await interruptible(host, async (signal) => {
    if (server === undefined) {
      const stateDirectory = statePath(host, flags.state);
      const who = await whoAmI({ socketPath: socketPath(stateDirectory) }, signal).catch((error: unknown) => {
        throw isFault(error, 'unavailable') ? noDaemon(stateDirectory, 'say who you are', nextCommand('serve --detach', flags)) : error;
      });
      return await say(described(who), `${holderWord(who)}\n`, flags, host);
    }
    const { token, fingerprint } = credentialFor(server, host);
    const who = await whoAmI({ url: server, token, fingerprint }, signal).catch((error: unknown) => {
      throw withLoginAdvice(error, server);
    });
    return await say({ server, ...described(who) }, `${holderWord(who)} on ${server}\n`, flags, host);
  });
}

type Address = { readonly url: string; readonly fingerprint?: string | undefined };

async function authenticate(
  flags: LoginFlags,
  address: Address,
  host: Host,
  signal: AbortSignal,
): Promise<{ readonly token: string; readonly who: Session; readonly isOpened: boolean }> {
  if (flags.tokenFile !== undefined) {
    if (flags.name !== undefined)
      throw new Fault('invalid_argument', 'Cannot log in by a name and with a token: leave out --name or --token-file');
    const token = await readToken(flags.tokenFile, host);
    return { token, who: await whoAmI({ ...address, token }, signal), isOpened: false };
  }
  if (flags.name === undefined) {
    throw new Fault('invalid_argument', 'Cannot log in: nobody is named; say who you are with --name, or give a token with --token-file', {
      details: { option: '--name', fix: `${loginCommand(address.url)} --name NAME` },
    });
  }
  // Before anything is typed: whether it is a server that may be told a passphrase.
  await whoAmI({ ...address, token: undefined }, signal).catch((error: unknown) => {
    if (!isFault(error, 'unauthenticated')) throw error;
  });
  const passphrase = await readPassphrase(flags, host, 'known');
  const who = await signIn(address, flags.name, passphrase, signal);
  return { token: who.token, who, isOpened: true };
}

/** A session that nobody could use, as it is kept nowhere. Also when the caller gave up. */
async function giveUp(address: Address & { readonly token: string }, host: Host): Promise<void> {
  const left = await endSession(address, AbortSignal.timeout(GIVE_UP_MS), nextCommand('token revoke ID', { server: address.url }));
  if (left !== undefined) await host.stderr.write(`warren: ${safeText(left)}\n`);
}

/** What is left open there, in words; undefined when nothing is. `revoke`: what ends a token that nobody signed in for. */
async function endSession(address: Address & { readonly token: string }, signal: AbortSignal, revoke: string): Promise<string | undefined> {
  try {
    await signOut(address, signal);
    return undefined;
  } catch (error) {
    if (isFault(error, 'unauthenticated')) return undefined; // It had ended.
    if (isFault(error, 'conflict'))
      return `nobody signed in for this token: it is forgotten here, and good until an operator revokes it: ${revoke} (token list says which)`;
    if (isFault(error)) return `the session is forgotten here and ends there by itself: ${error.message}`;
    throw error;
  }
}

function requireServer(flags: StateFlags, host: Host, action: string): string {
  const server = serverOf(flags, host);
  if (server !== undefined) return server;
  throw new Fault('invalid_argument', `Cannot ${action}: no server is named; use --server https://NAME, or set WARREN_SERVER`, {
    details: { option: '--server' },
  });
}

function checkPlain(server: string, { plain }: LoginFlags): void {
  const { protocol, hostname } = new URL(server);
  if (protocol === 'https:' || isLoopback(hostname) || plain === true) return;
  throw new Fault('invalid_argument', `Cannot log in on ${server}: what is sent there could be read on the way`, {
    details: { option: '--server', fix: `use https, or --plain where something else encrypts` },
  });
}

function described({ principal, name, role, groups }: Session): object {
  return { principal, name, role, groups };
}

function holderWord({ principal: { kind, workspace }, name, role }: Session): string {
  const what = kind === 'operator' ? 'operator' : `${role ?? kind} of workspace ${safeText(workspace ?? '')}`;
  return name === null ? what : `${safeText(name)}, ${what}`;
}

async function say(document: object, words: string, { json }: StateFlags, host: Host): Promise<number> {
  await host.stdout.write(json === true ? `${safeJson(document, 2)}\n` : words);
  return 0;
}
