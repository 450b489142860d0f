import type { PersonRecord } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault } from '@warren/protocol';
import type { Gateway } from '../gateway.ts';
import type { Headers } from '../reply.ts';
import { csrfOf } from './csrf.ts';
import { sessionCookie } from './session-cookie.ts';

export type OpenSessionOptions = { readonly how: 'passphrase' | 'oidc'; readonly isTls: boolean; readonly isToken: boolean };

/** For somebody who has shown who it is. Always a new one: what the browser had before is not taken up. It is in the audit before it is given away. */
export async function openSession(
  person: PersonRecord,
  { how, isTls, isToken }: OpenSessionOptions,
  { kernel, audit }: Pick<Gateway, 'kernel' | 'audit'>,
): Promise<{ readonly headers: Headers; readonly body: object }> {
  const made = await kernel.sessions.open(person);
  if (made === undefined) throw new Fault('unauthenticated', `Cannot sign in: ${person.name} was changed at this moment; try again`);
  const { token, record } = made;
  try {
    const kind = person.workspace === undefined ? 'operator' : 'member';
    await audit?.append({
      ...({ kind: 'operator', action: 'person.sign_in', outcome: 'success' } as const),
      workspace: person.workspace ?? DEFAULT_WORKSPACE,
      actor: { kind, name: person.name },
      details: { token_id: record.id, how },
    });
  } catch (error) {
    await kernel.tokens.revoke(record.id);
    throw error;
  }
  const { id, principal, expiresAt = 0 } = record;
  const { name, groups, role = null } = person;
  const session = { principal, name, role, groups, token_id: id, expires_at: expiresAt / 1_000, csrf: csrfOf(token) };
  if (isToken) return { headers: {}, body: { ...session, token } };
  return { headers: { 'set-cookie': sessionCookie(token, expiresAt - Date.now(), isTls) }, body: session };
}
