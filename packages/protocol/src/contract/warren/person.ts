/**
 * `person.*`: who signs in. Groups and other workspaces are an operator's to give; an operator has a name of its own, so that nobody who may only
 * make members can ask for one.
 */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { identity, personRecord } from '../record/person.ts';
import { memberRole } from '../record/token.ts';
import { MEMBER, OPERATOR } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { list, listOf } from '../value/list.ts';
import { word } from '../value/text.ts';

const terms = { groups: optional(list(word, 32)), passphrase: clearable(word), identity: clearable(identity.strict()) };
/** Absent: stays as it is; null: is taken away. */
function clearable<Value extends z.ZodType>(value: Value) {
  return value.nullable().optional();
}

const changed = z.object({ changed: z.boolean() });

export const PERSON_OPERATIONS = {
  'person.create': operation({
    summary: 'Lets somebody sign in to a workspace: the one named, or that of the caller',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ name: word, role: memberRole, workspace: optional(word), ...terms }),
    result: personRecord,
    faults: ['already_exists', 'too_large', ...ON_WRITE],
  }),
  'person.create_operator': operation({
    summary: 'Lets somebody sign in as an operator',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ name: word, ...terms }),
    result: personRecord,
    faults: ['already_exists', 'too_large', ...ON_WRITE],
  }),
  'person.list': operation({
    summary: 'Lists the people of a workspace: the one named, or that of the caller; for an operator who names none, all',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ workspace: optional(word) }),
    result: z.object({ people: listOf(personRecord) }),
    faults: [...ON_READ],
  }),
  'person.update': operation({
    summary: 'Changes role, groups, passphrase or identity of somebody the caller could list, and ends their sessions',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ name: word, role: optional(memberRole), ...terms }),
    result: personRecord,
    faults: ['already_exists', ...ON_WRITE],
  }),
  'person.disable': operation({
    summary: 'Ends the sessions of somebody the caller could list, and lets them in no more',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ name: word }),
    result: changed,
    faults: [...ON_WRITE],
  }),
  'person.enable': operation({
    summary: 'Lets somebody the caller could list sign in again',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ name: word }),
    result: changed,
    faults: [...ON_WRITE],
  }),
  'person.delete': operation({
    summary: 'Deletes somebody the caller could list, with their sessions',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ name: word }),
    result: z.object({ deleted: z.boolean() }),
    faults: [...ON_WRITE],
  }),
};
