/**
 * Tokens: 256 random bits each, shown once and kept as their SHA-256. They are found by that hash, so nothing compares secrets and no time
 * tells how close a guess was; and who reads the store cannot call with what is in it. That a token was used is not written down: it would
 * make every call a write.
 */
import { hash, randomBytes } from 'node:crypto';
import { createTokenId, Fault, type RandomSource, type TokenId } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import { checkWord } from '../internal/payload.ts';
import type { Store, SystemTransaction, Transaction } from '../store/store.ts';
import type { PersonRow } from '../store/tables/person-table.ts';
import type { NewToken, TokenRow } from '../store/tables/token-table.ts';
import { checkGroups } from './check-groups.ts';
import type { Principal, TokenRecord, Tokens } from './tokens.ts';

/** So that people, and programs that search for leaked secrets, know one when they see it. */
const PREFIX = 'wrn_';
const SECRET_BYTES = 32;
const FORM = new RegExp(`^${PREFIX}[A-Za-z0-9_-]{43}$`);
/** Of one workspace, or of all operators. Those that ended make room. */
export const TOKENS_MAX = 10_000;
const PURGED_AT_ONCE = 1_000;

export type TokenParts = { readonly store: Store; readonly random?: RandomSource | undefined };

export function createTokens({ store, random = randomBytes }: TokenParts): Tokens {
  const identify = async (token: string): Promise<TokenRecord | undefined> => {
    if (!FORM.test(token)) return undefined;
    const key = hashOf(token);
    const row = await store.readSystem(({ tokens }) => tokens.findValid(key));
    return row === undefined ? undefined : toRecord(row);
  };
  return {
    async create(principal, { label = '', person, maker, ...given } = {}) {
      if (label !== '') checkWord(label, 'label', 'invalid_argument');
      if (given.owner !== undefined) checkWord(given.owner, 'owner', 'invalid_argument');
      const { groups = [], expiresAt, owner } = maker === undefined ? given : narrow(given, maker);
      checkGroups(groups, 'create a token');
      const secret = `${PREFIX}${Buffer.from(random(SECRET_BYTES)).toString('base64url')}`;
      const id = createTokenId(random);
      const whose = { label, owner: owner ?? person ?? (label === '' ? id : label), madeBy: maker?.id };
      const token: NewToken = { id, hash: hashOf(secret), ...holderOf(principal), person, ...whose, groups, expiresAt };
      if (person !== undefined) await store.readSystem(({ people }) => checkPerson(people.find(person)));
      const row =
        principal.kind === 'operator'
          ? await store.writeSystem((transaction) => insert(transaction, token))
          : await store.workspace(principal.workspace).write((transaction) => insertInWorkspace(transaction, token));
      return { token: secret, record: toRecord(row) };
    },

    async authenticate(token) {
      return (await identify(token))?.principal;
    },

    identify,

    async isKnown(token) {
      if (!FORM.test(token)) return false;
      const key = hashOf(token);
      return await store.readSystem(({ tokens }) => tokens.findByHash(key) !== undefined);
    },

    async list(workspace) {
      const rows =
        workspace === undefined
          ? await store.readSystem(({ tokens }) => tokens.list(TOKENS_MAX))
          : await store.workspace(workspace).read(({ tokens }) => tokens.list(TOKENS_MAX));
      return rows.map(toRecord);
    },

    async get(id) {
      const row = await store.readSystem(({ tokens }) => tokens.find(id));
      if (row === undefined) throw new Fault('not_found', 'Cannot find the token: it does not exist', { details: { token_id: id } });
      return toRecord(row);
    },

    async revoke(id) {
      const row = await store.readSystem(({ tokens }) => tokens.find(id));
      if (row?.workspace === undefined) return await store.writeSystem(({ tokens }) => (tokens.revoke(id) ? [id as TokenId] : [])); // Nothing is made with one of an operator.
      return await store.workspace(row.workspace).write((transaction) => revokeInWorkspace(transaction, row));
    },
  };
}

type Asked = Pick<NonNullable<Parameters<Tokens['create']>[1]>, 'owner' | 'groups' | 'expiresAt'>;

/** Who has a token could give it away; who makes another with it gives away no more than that. */
function narrow({ owner, groups, expiresAt }: Asked, maker: TokenRecord): Asked {
  const wider = (field: string, why: string): Fault =>
    new Fault('permission_denied', `Cannot create a token: ${why}`, { details: { field } });
  if (owner !== undefined && owner !== maker.owner)
    throw wider('owner', `only an operator makes one for somebody else than ${maker.owner}`);
  const foreign = groups?.find((group) => !maker.groups.includes(group));
  if (foreign !== undefined) throw wider('groups', 'only an operator gives groups that the token it is made with has not');
  if (maker.expiresAt !== undefined && expiresAt !== undefined && expiresAt > maker.expiresAt)
    throw wider('expires_at', 'the token it is made with ends before');
  return { owner: maker.owner, groups: groups ?? maker.groups, expiresAt: expiresAt ?? maker.expiresAt };
}

type Holder = Pick<SystemTransaction, 'now' | 'tokens'>;

function insert({ now, tokens }: Holder, token: NewToken): TokenRow {
  if (token.expiresAt !== undefined && !(Number.isSafeInteger(token.expiresAt) && token.expiresAt > now)) {
    throw new Fault('invalid_argument', 'Cannot create a token: the time it expires at is not in the future', {
      details: { field: 'expires_at' },
    });
  }
  if (token.pid === undefined && token.person === undefined && token.label !== '' && tokens.isLabelInUse(token.label)) {
    throw new Fault(
      'conflict',
      `Cannot create a token: another is called ${JSON.stringify(token.label)}; revoke it first, or take another label`,
      {
        details: { field: 'label' },
      },
    );
  }
  makeRoom(tokens);
  tokens.insert(token);
  const row = tokens.find(token.id);
  if (row === undefined) throw new Error('A token is gone in the transaction that made it');
  return row;
}

function insertInWorkspace(transaction: Transaction, token: NewToken): TokenRow {
  checkMaker(transaction, token.madeBy);
  if (token.pid !== undefined) checkAlive(transaction, token.pid);
  if (token.agent !== undefined) checkAgent(transaction, token.agent);
  const row = insert(transaction, token);
  transaction.events.append({
    pid: row.pid,
    kind: 'kernel.token.created',
    payload: { ...payloadOf(row), label: row.label, expires_at: row.expiresAt ?? null },
  });
  return row;
}

function revokeInWorkspace({ tokens, events }: Transaction, row: TokenRow): readonly TokenId[] {
  if (!tokens.revoke(row.id)) return [];
  const revoked = [row, ...tokens.revokeMade()];
  for (const each of revoked) events.append({ pid: each.pid, kind: 'kernel.token.revoked', payload: payloadOf(each) });
  return revoked.map(idOf);
}

/** It may have been revoked since it was presented: what it makes now would outlive it. */
function checkMaker({ tokens }: Transaction, id: string | undefined): void {
  if (id === undefined || tokens.find(id)?.revokedAt === undefined) return;
  throw new Fault('permission_denied', 'Cannot create a token: the token it is made with is revoked');
}

function checkAlive(transaction: Transaction, pid: number): void {
  const process = transaction.processes.find(pid);
  if (process === undefined) {
    throw new Fault('unknown_pid', `Cannot create a token for process ${pid}: it does not exist`, { details: { pid } });
  }
  if (process.state === 'DEAD') {
    throw new Fault('illegal_transition', `Cannot create a token for process ${pid}: it is DEAD`, {
      details: { pid, prev_state: 'DEAD', target_state: 'DEAD' },
    });
  }
}

function checkAgent({ agents }: Transaction, name: string): void {
  const agent = agents.find(name);
  if (agent === undefined) {
    throw new Fault('not_found', `Cannot create a token for agent ${name}: there is no such agent`, { details: { agent: name } });
  }
  if (agent.state === 'revoked') {
    throw new Fault('illegal_transition', `Cannot create a token for agent ${name}: it is revoked`, { details: { agent: name } });
  }
}

function checkPerson(person: PersonRow | undefined): void {
  if (person === undefined) throw new Fault('not_found', 'Cannot create a token for a person: there is no such person');
  if (person.disabledAt !== undefined) {
    throw new Fault('illegal_transition', `Cannot create a token for ${person.name}: the person is disabled`, {
      details: { person: person.name },
    });
  }
}

function makeRoom(tokens: SystemTransaction['tokens']): void {
  const count = tokens.count();
  if (count < TOKENS_MAX || tokens.purgeEnded(PURGED_AT_ONCE) > 0) return;
  throw new Fault('too_large', `Cannot create a token: ${count} are in use, the limit is ${TOKENS_MAX}; revoke some first`, {
    details: { count, limit: TOKENS_MAX },
  });
}

function payloadOf(row: TokenRow): JsonObject {
  return { token_id: row.id, principal: principalOf(row).kind };
}

/** The inverse of `principalOf`. */
function holderOf(principal: Principal): Pick<TokenRow, 'pid' | 'agent' | 'role'> {
  const nobody = { pid: undefined, agent: undefined, role: undefined };
  switch (principal.kind) {
    case 'operator':
      return nobody;
    case 'member':
      return { ...nobody, role: principal.role };
    case 'agent':
      return { ...nobody, agent: principal.agent };
    case 'process':
      return { ...nobody, pid: principal.pid };
    default:
      return principal satisfies never;
  }
}

function principalOf({ workspace, pid, agent, role = 'admin' }: TokenRow): Principal {
  if (workspace === undefined) return { kind: 'operator' };
  if (pid !== undefined) return { kind: 'process', workspace, pid };
  return agent === undefined ? { kind: 'member', workspace, role } : { kind: 'agent', workspace, agent };
}

function toRecord(row: TokenRow): TokenRecord {
  return {
    id: idOf(row),
    principal: principalOf(row),
    person: row.person,
    label: row.label,
    owner: row.owner,
    madeBy: row.madeBy as TokenId | undefined, // As `id`.
    groups: row.groups,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    revokedAt: row.revokedAt,
  };
}

function idOf({ id }: TokenRow): TokenId {
  return id as TokenId; // Only such were inserted.
}

function hashOf(token: string): string {
  return hash('sha256', token, 'hex');
}
