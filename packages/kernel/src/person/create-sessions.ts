import { randomBytes } from 'node:crypto';
import type { RandomSource } from '@warren/protocol';
import type { Store, SystemTransaction } from '../store/store.ts';
import { createTokens } from '../token/create-tokens.ts';
import type { Principal, TokenRecord } from '../token/tokens.ts';
import type { PersonRecord } from './people.ts';
import type { Sessions } from './sessions.ts';

const HOUR_MS = 3_600_000;
/** Without use. */
const SESSION_MS = 12 * HOUR_MS;
/** However much it is used. */
const SESSION_MS_MAX = 7 * 24 * HOUR_MS;
/** Between two writes that move the end of a session, so that most calls write nothing for it. */
const MOVED_EVERY_MS = HOUR_MS;
const SESSIONS_PER_PERSON_MAX = 32;
const LABEL = 'session';

export type SessionParts = { readonly store: Store; readonly random?: RandomSource | undefined };

export function createSessions({ store, random = randomBytes }: SessionParts): Sessions {
  const tokens = createTokens({ store, random });
  return {
    async open(person) {
      const now = await store.readSystem((transaction) => transaction.now);
      const { name, groups } = person;
      const made = await tokens.create(principalOf(person), {
        ...{ person: name, owner: name, groups, label: LABEL },
        expiresAt: now + SESSION_MS,
      });
      // Whatever changes a person ends the sessions there are: a change after this look ends this one, and one before it is seen here.
      const isSame = await store.readSystem(({ people }) => {
        const row = people.find(name);
        return row !== undefined && row.updatedAt === person.updatedAt && row.disabledAt === undefined;
      });
      if (!isSame) {
        await tokens.revoke(made.record.id);
        return undefined;
      }
      await endOldest(person);
      return made;
    },

    async use({ id, principal, person, createdAt, expiresAt }) {
      if (person === undefined || expiresAt === undefined) return undefined;
      const now = await store.readSystem((transaction) => transaction.now);
      const later = Math.min(now + SESSION_MS, createdAt + SESSION_MS_MAX);
      if (later - expiresAt < MOVED_EVERY_MS) return expiresAt;
      const extend = ({ tokens: table }: Pick<SystemTransaction, 'tokens'>): boolean => table.extend(id, later);
      const isMoved =
        principal.kind === 'operator' ? await store.writeSystem(extend) : await store.workspace(principal.workspace).write(extend);
      return isMoved ? later : expiresAt;
    },
  };

  async function endOldest({ name, workspace }: PersonRecord): Promise<void> {
    const now = await store.readSystem((transaction) => transaction.now);
    const isOpen = ({ person, revokedAt, expiresAt }: TokenRecord): boolean =>
      person === name && revokedAt === undefined && (expiresAt === undefined || expiresAt > now);
    // The newest first.
    const open = (await tokens.list(workspace)).filter(isOpen);
    for (const { id } of open.slice(SESSIONS_PER_PERSON_MAX)) await tokens.revoke(id);
  }
}

function principalOf({ workspace, role }: PersonRecord): Principal {
  if (workspace === undefined) return { kind: 'operator' };
  if (role === undefined) throw new Error('A person of a workspace has no role');
  return { kind: 'member', workspace, role };
}
