/** Who is calling, and signing in and out, as programs do it: for a token. */
import { Fault, faultFromError } from '@warren/protocol';
import { callHeaders } from './call-headers.ts';
import { type NodeAddress, NodeTransport } from './node-transport.ts';
import { refusalOf } from './read-answer.ts';
import type { WireAnswer, WireRequest } from './transport.ts';

export type SessionAddress = NodeAddress & { readonly token?: string | undefined };

/** `principal`: what they may do; `name` and `role` of people. */
export type Session = {
  readonly principal: { readonly kind: string; readonly workspace?: string };
  readonly name: string | null;
  readonly role: string | null;
  readonly groups: readonly string[];
};

export type SignedIn = Session & { readonly token: string; readonly expires_at: number };

/** Throws `unauthenticated`, `rate_limited`, and what `call` of a client throws. */
export async function signIn(address: NodeAddress, name: string, passphrase: string, signal?: AbortSignal): Promise<SignedIn> {
  const body = JSON.stringify({ name, passphrase, token: true });
  const session = await ask(address, { method: 'POST', body }, signal);
  if (isSignedIn(session)) return session;
  throw new Fault('protocol_error', `Cannot understand ${nameOf(address)}: it signs in without giving a token`);
}

/** Who a token belongs to. Throws as `signIn`. */
export async function whoAmI(address: SessionAddress, signal?: AbortSignal): Promise<Session> {
  const session = await ask(address, { method: 'GET' }, signal);
  if (session !== undefined) return session;
  throw new Fault('protocol_error', `Cannot understand ${nameOf(address)}: it does not say who is calling`);
}

/** Ends the session of the token. Throws as `signIn`, and `conflict` when nobody signed in for it. */
export async function signOut(address: SessionAddress, signal?: AbortSignal): Promise<void> {
  await ask(address, { method: 'DELETE' }, signal);
}

async function ask(
  address: SessionAddress,
  request: Pick<WireRequest, 'method' | 'body'>,
  signal: AbortSignal | undefined,
): Promise<Session | undefined> {
  const transport = new NodeTransport(address);
  try {
    const headers = { ...callHeaders({ token: address.token }), ...(request.body !== undefined && { 'content-type': 'application/json' }) };
    const answer = await transport.send({ ...request, path: '/api/session', headers }, signal);
    return answer.status === 204 ? undefined : readDocument(answer, transport.address);
  } finally {
    transport.close();
  }
}

function readDocument(answer: WireAnswer, address: string): Session {
  const document = parse(answer.body);
  if (answer.status === 200 && isSession(document)) return document;
  const { code, detail: message, details } = document ?? {};
  if (typeof code !== 'string') throw refusalOf(answer, answer.body, address);
  throw faultFromError({ message, data: { ...(typeof details === 'object' && details), fault: code } });
}

function isSession(document: Readonly<Record<string, unknown>> | undefined): document is Session {
  if (document === undefined) return false;
  const { principal, name, role, groups } = document;
  if (typeof principal !== 'object' || principal === null || !('kind' in principal) || typeof principal.kind !== 'string') return false;
  return [name, role].every((each) => each === null || typeof each === 'string') && Array.isArray(groups);
}

function isSignedIn(session: Session | undefined): session is SignedIn {
  return session !== undefined && 'token' in session && typeof session.token === 'string' && session.token !== '';
}

function nameOf(address: NodeAddress): string {
  return 'url' in address ? new URL(address.url).origin : `unix:${address.socketPath}`;
}

/** Undefined for what is no object of JSON: then it is not ours. */
function parse(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const document: unknown = JSON.parse(body);
    return typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
