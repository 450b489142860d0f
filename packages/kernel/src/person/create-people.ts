/** People of all workspaces. Changes are transactions of the system: the row and the end of the sessions together. */
import { randomBytes } from 'node:crypto';
import { Fault, MEMBER_ROLES, type MemberRole, type RandomSource, type WorkspaceId } from '@warren/protocol';
import { checkWord } from '../internal/payload.ts';
import type { Store, SystemReadTransaction, SystemTransaction } from '../store/store.ts';
import type { NewPerson, PersonRow } from '../store/tables/person-table.ts';
import { checkGroups } from '../token/check-groups.ts';
import { hashPassphrase, isPassphrase } from './passphrase.ts';
import type { People, PersonRecord, PersonTerms } from './people.ts';

const PEOPLE_MAX = 10_000;
const NAME = /^[a-z0-9][a-z0-9._+@-]{0,127}$/;
const PASSPHRASE_BYTES_MIN = 12;
const PASSPHRASE_BYTES_MAX = 1_024;
const IDENTITY_BYTES_MAX = 512;
/** Each takes 64 MiB and a thread of the pool while it lasts. */
const VERIFIED_AT_ONCE_MAX = 4;
/** Nobody's: what a name that does not exist is compared with, so that it takes as long. */
const NOBODYS = `$argon2id$v=19$m=65536,t=3,p=4$${'A'.repeat(22)}$${'A'.repeat(43)}`;

export type PeopleParts = { readonly store: Store; readonly random?: RandomSource | undefined };

export function createPeople({ store, random = randomBytes }: PeopleParts): People {
  let verifying = 0;
  const hashed = async (passphrase: string | null | undefined): Promise<string | undefined> =>
    typeof passphrase === 'string' ? await hashPassphrase(checkPassphrase(passphrase), random) : undefined;
  return {
    async create({ name, workspace, role, groups = [], passphrase, identity }) {
      checkName(name);
      checkRole(workspace, role);
      checkGroups(groups, 'create a person');
      const person = {
        name,
        workspace,
        role,
        groups,
        identity: checkIdentity(identity ?? undefined),
        passphrase: await hashed(passphrase),
      };
      return await store.writeSystem((transaction) => insert(transaction, person));
    },

    get: (name) => store.readSystem((transaction) => toRecord(requirePerson(transaction, name))),

    async findByIdentity(issuer, subject) {
      const row = await store.readSystem(({ people }) => people.findByIdentity(issuer, subject));
      return row === undefined ? undefined : toRecord(row);
    },

    list: (workspace) => store.readSystem(({ people }) => people.list(PEOPLE_MAX, workspace).map(toRecord)),

    async update(name, terms) {
      const passphrase = await hashed(terms.passphrase);
      return await store.writeSystem((transaction) =>
        change(transaction, requirePerson(transaction, name), { ...terms, passphrase }, terms),
      );
    },

    async setDisabled(name, isDisabled) {
      return await store.writeSystem((transaction) => {
        const person = requirePerson(transaction, name);
        if ((person.disabledAt !== undefined) === isDisabled) return false;
        if (isDisabled) revokeTokens(transaction, name);
        transaction.people.update({ ...person, disabledAt: isDisabled ? transaction.now : undefined });
        return true;
      });
    },

    delete: (name) =>
      store.writeSystem((transaction) => {
        revokeTokens(transaction, name); // Theirs go with them; what was made with those does not.
        return transaction.people.delete(name);
      }),

    async verify(name, passphrase) {
      if (verifying >= VERIFIED_AT_ONCE_MAX) {
        throw new Fault('busy', `Cannot sign in: ${verifying} others are signing in; try again in a moment`);
      }
      verifying++;
      try {
        const row = NAME.test(name) ? await store.readSystem(({ people }) => people.find(name)) : undefined;
        const isTheirs = await isPassphrase(passphrase.slice(0, PASSPHRASE_BYTES_MAX), row?.passphrase ?? NOBODYS);
        return isTheirs && row?.passphrase !== undefined && row.disabledAt === undefined ? toRecord(row) : undefined;
      } finally {
        verifying--;
      }
    },
  };
}

function insert(transaction: SystemTransaction, person: NewPerson): PersonRecord {
  const { people } = transaction;
  if (people.find(person.name) !== undefined) {
    throw new Fault('already_exists', `Cannot create ${person.name}: there is a person of this name`, { details: { field: 'name' } });
  }
  requireFreeIdentity(transaction, person);
  const count = people.count();
  if (count >= PEOPLE_MAX)
    throw new Fault('too_large', `Cannot create ${person.name}: there are ${count} people, the limit is ${PEOPLE_MAX}`);
  people.insert(person);
  return toRecord(requirePerson(transaction, person.name));
}

function change(
  transaction: SystemTransaction,
  before: PersonRow,
  { role = before.role, groups = before.groups, passphrase }: { role?: MemberRole | undefined; groups?: readonly string[] | undefined; passphrase: string | undefined }, // biome-ignore format: one line
  given: PersonTerms,
): PersonRecord {
  checkRole(before.workspace, role);
  checkGroups(groups, 'change a person');
  const after = {
    ...before,
    role,
    groups,
    passphrase: given.passphrase === undefined ? before.passphrase : passphrase,
    identity: given.identity === undefined ? before.identity : checkIdentity(given.identity ?? undefined),
  };
  requireFreeIdentity(transaction, after);
  transaction.people.update(after);
  // What somebody may do is in each of their tokens.
  revokeTokens(transaction, before.name);
  return toRecord(requirePerson(transaction, before.name));
}

/** Theirs, and what they made with them. */
function revokeTokens({ tokens }: SystemTransaction, person: string): void {
  if (tokens.revokeOf({ person }) > 0) tokens.revokeMade();
}

function requirePerson({ people }: SystemReadTransaction, name: string): PersonRow {
  const person = people.find(name);
  if (person !== undefined) return person;
  throw new Fault('not_found', `Cannot find ${JSON.stringify(String(name).slice(0, 128))}: there is no person of this name`);
}

function requireFreeIdentity({ people }: SystemReadTransaction, { name, identity }: NewPerson): void {
  const holder = identity === undefined ? undefined : people.findByIdentity(identity.issuer, identity.subject);
  if (holder === undefined || holder.name === name) return;
  throw new Fault('already_exists', `Cannot give ${name} this identity: ${holder.name} has it`, { details: { field: 'identity' } });
}

function checkName(name: string): void {
  if (typeof name === 'string' && NAME.test(name)) return;
  throw new Fault(
    'invalid_argument',
    'Cannot create a person: a name has 1 to 128 of a-z 0-9 . _ + @ - and begins with a letter or digit',
    {
      details: { field: 'name' },
    },
  );
}

function checkRole(workspace: WorkspaceId | undefined, role: MemberRole | undefined): void {
  const isKnown = role === undefined || MEMBER_ROLES.includes(role);
  if (isKnown && (workspace === undefined) === (role === undefined)) return;
  throw new Fault(
    'invalid_argument',
    `Cannot use this role: a person of a workspace has one of ${MEMBER_ROLES.join(', ')}, an operator none`,
    {
      details: { field: 'role' },
    },
  );
}

function checkPassphrase(passphrase: string): string {
  const bytes = Buffer.byteLength(passphrase);
  const why =
    bytes < PASSPHRASE_BYTES_MIN
      ? `it is too short: it has ${bytes} bytes, and must have ${PASSPHRASE_BYTES_MIN} or more`
      : bytes > PASSPHRASE_BYTES_MAX
        ? `it is too long: it has ${bytes} bytes, and may have ${PASSPHRASE_BYTES_MAX}`
        : 'it has half a character, which nobody can type';
  if (bytes >= PASSPHRASE_BYTES_MIN && bytes <= PASSPHRASE_BYTES_MAX && passphrase.isWellFormed()) return passphrase;
  throw new Fault('invalid_argument', `Cannot use the passphrase: ${why}`, { details: { field: 'passphrase' } });
}

function checkIdentity(identity: NewPerson['identity']): NewPerson['identity'] {
  if (identity === undefined) return undefined;
  const { issuer, subject } = identity;
  checkWord(issuer, 'issuer', 'invalid_argument', IDENTITY_BYTES_MAX);
  checkWord(subject, 'subject', 'invalid_argument', IDENTITY_BYTES_MAX);
  return { issuer, subject };
}

function toRecord({ passphrase, ...row }: PersonRow): PersonRecord {
  return { ...row, hasPassphrase: passphrase !== undefined };
}
