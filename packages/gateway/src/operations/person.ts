import type { Kernel, PersonRecord } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { Call, HandlersOf } from './handler.ts';
import { toPerson } from './record/person.ts';

export function createPersonHandlers({ people }: Pick<Kernel, 'people'>): HandlersOf<'person.'> {
  /** Whom the caller could not list is to it as if there were nobody. */
  const find = async (name: string, call: Call): Promise<PersonRecord> => {
    const person = await people.get(name);
    if (seesAll(call) || person.workspace === call.workspace) return person;
    throw new Fault('not_found', `Cannot find ${JSON.stringify(name.slice(0, 128))}: there is no person of this name`);
  };
  return {
    async 'person.create'({ name, role, groups, passphrase, identity }, call) {
      checkGroups(groups, call);
      return toPerson(await people.create({ name, workspace: call.workspace, role, groups, passphrase, identity }));
    },

    async 'person.create_operator'({ name, groups, passphrase, identity }) {
      return toPerson(await people.create({ name, groups, passphrase, identity }));
    },

    async 'person.list'(_params, call) {
      return { people: (await people.list(seesAll(call) ? undefined : call.workspace)).map(toPerson) };
    },

    async 'person.update'({ name, ...terms }, call) {
      checkGroups(terms.groups, call);
      checkTakeover(await find(name, call), terms, call);
      return toPerson(await people.update(name, terms));
    },

    async 'person.disable'({ name }, call) {
      await find(name, call);
      return { changed: await people.setDisabled(name, true) };
    },

    async 'person.enable'({ name }, call) {
      await find(name, call);
      return { changed: await people.setDisabled(name, false) };
    },

    async 'person.delete'({ name }, call) {
      await find(name, call);
      return { deleted: await people.delete(name) };
    },
  };
}

function seesAll({ principal, isWorkspaceNamed }: Call): boolean {
  return principal.kind === 'operator' && !isWorkspaceNamed;
}

/** Groups say who may approve what: whoever could choose them could approve everything. */
function checkGroups(groups: readonly string[] | undefined, { principal }: Call): void {
  if (groups === undefined || groups.length === 0 || principal.kind === 'operator') return;
  throw new Fault('permission_denied', 'Cannot put a person in groups: only an operator gives them', { details: { field: 'groups' } });
}

/** Who sets how somebody signs in can sign in as them, and would have their groups. */
function checkTakeover(
  person: PersonRecord,
  terms: { readonly passphrase?: unknown; readonly identity?: unknown },
  { principal, caller }: Call,
): void {
  if (principal.kind === 'operator' || (terms.passphrase === undefined && terms.identity === undefined)) return;
  const foreign = person.groups.find((group) => !caller.groups.includes(group));
  if (foreign === undefined) return;
  throw new Fault('permission_denied', `Cannot set how ${person.name} signs in: only an operator does for who is in group ${foreign}`, {
    details: { field: 'groups' },
  });
}
