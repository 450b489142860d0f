/**
 * `/api/session`: `POST` signs somebody in by name and passphrase, `GET` says who is calling, `DELETE` signs out. A page of ours is given its session
 * in a cookie it cannot read; a program asks for `"token": true` and is given the token in the answer, once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PersonRecord } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault, type MemberRole } from '@warren/protocol';
import { z } from 'zod';
import { readJson } from '../../jsonrpc/read-json.ts';
import type { Identity } from '../authenticate.ts';
import { isTlsOrigin } from '../authenticate.ts';
import type { Entry } from '../entry.ts';
import type { Gateway } from '../gateway.ts';
import { Hold } from '../hold.ts';
import { readBody } from '../read-body.ts';
import { refuse, sendJson, sendNothing } from '../reply.ts';
import { clientAddress } from './client-address.ts';
import { csrfOf } from './csrf.ts';
import { openSession } from './open-session.ts';
import { noSessionCookie } from './session-cookie.ts';

const BODY_BYTES_MAX = 8_192;

const signIn = z.strictObject({ name: z.string().max(128), passphrase: z.string().max(1_024), token: z.boolean().default(false) });

export async function postSession(request: IncomingMessage, response: ServerResponse, entry: Entry, gateway: Gateway): Promise<void> {
  const hold = new Hold(gateway.held, BODY_BYTES_MAX);
  response.once('close', () => hold.clear());
  const read = await readBody(request, BODY_BYTES_MAX, hold);
  if (read.kind === 'gone') return;
  if (read.kind === 'refused') return refuse(response, read);
  const { name, passphrase, token } = parse(read.body, gateway);
  const person = await verify(name, passphrase, entry.kind === 'unix' ? undefined : clientAddress(request, gateway.proxies), gateway);
  const isTls = isTlsOrigin(request, entry);
  const { headers, body } = await openSession(person, { how: 'passphrase', isTls, isToken: token }, gateway);
  sendJson(response, 200, JSON.stringify(body), headers);
}

/** By the name as it was typed: it is nobody's until it is verified. Never tells a wrong name from a wrong passphrase. */
async function verify(name: string, passphrase: string, network: string | undefined, gateway: Gateway): Promise<PersonRecord> {
  const { kernel, signIns, delayFile, log, refused } = gateway;
  // Through the unix socket comes the operator, who has nothing to guess.
  const attempt = network === undefined ? undefined : signIns.begin('name', name, network);
  if (attempt?.kind === 'wait') throw tooMany(attempt.waitMs);
  const person = await kernel.people.verify(name, passphrase);
  if (person !== undefined) {
    attempt?.succeeded();
    return person;
  }
  delayFile?.note();
  if (attempt !== undefined && attempt.lockedMs > 0) {
    log.warn('Wrong passphrases: the name and the network have to wait', { address: network, locked_ms: attempt.lockedMs });
  }
  await refused?.add({
    kind: 'operator',
    workspace: DEFAULT_WORKSPACE,
    actor: { kind: 'system' },
    action: 'person.sign_in',
    error: { type: 'unauthenticated', message: 'a wrong name or passphrase' },
    details: { from: network ?? 'unix' },
  });
  throw new Fault('unauthenticated', 'Cannot sign in: the name or the passphrase is wrong, or this person may not sign in');
}

function tooMany(waitMs: number): Fault {
  return new Fault('rate_limited', 'Cannot sign in: there were too many wrong passphrases for this name, or from this network', {
    details: { retry_after_ms: waitMs },
  });
}

export function getSession({ principal, name, groups, token }: Identity, response: ServerResponse): void {
  const role: MemberRole | null = principal.kind === 'member' ? principal.role : null;
  const csrf = token === undefined ? null : csrfOf(token);
  sendJson(response, 200, JSON.stringify({ principal, name: name ?? null, role, groups, csrf }));
}

/** Ends the session that it comes with. A token that nobody signed in for is not one, and is not lost by mistake. */
export async function deleteSession(
  request: IncomingMessage,
  response: ServerResponse,
  { tokenId }: Identity,
  entry: Entry,
  { kernel }: Gateway,
): Promise<void> {
  const record = tokenId === undefined ? undefined : await kernel.tokens.get(tokenId);
  if (record?.person === undefined) {
    throw new Fault('conflict', 'Cannot sign out: nobody signed in for this token; revoke it as a token instead');
  }
  await kernel.tokens.revoke(record.id);
  const isCookie = request.headers.authorization === undefined;
  sendNothing(response, isCookie ? { 'set-cookie': noSessionCookie(isTlsOrigin(request, entry)) } : {});
}

function parse(body: Uint8Array, { readLimits }: Gateway): z.output<typeof signIn> {
  const read = readJson(body, readLimits);
  const parsed = signIn.safeParse(read.kind === 'read' ? read.value : undefined);
  if (parsed.success) return parsed.data;
  // What was sent is not repeated: it may have a passphrase in it.
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new Fault('invalid_argument', 'Cannot sign in: the body is {"name": …, "passphrase": …, "token": true or absent}', {
    details: { field },
  });
}
