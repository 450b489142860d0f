/** `secret.*`: the secrets of a workspace. A value goes in and never comes out: agents use it without seeing it, and whoever set it is not shown it either. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { SECRET_TYPES, secret, secretDetails } from '../record/secret.ts';
import { MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { list } from '../value/list.ts';
import { int } from '../value/number.ts';
import { word, writing } from '../value/text.ts';

const names = optional(list(word, 100));
/** A list that is absent stays as it is. */
const bindings = optional(z.strictObject({ hosts: names, capabilities: names, skills: names }));
const terms = { type: optional(z.enum(SECRET_TYPES)), purpose: optional(word), bindings };
const named = z.strictObject({ name: word });

export const SECRET_OPERATIONS = {
  'secret.set': operation({
    summary: 'Makes a secret or gives it a new value, which is used from then on; ten older ones are kept',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({
      name: word,
      /** Nothing answers, records or logs it. */
      value: writing,
      value_encoding: withDefault(z.enum(['utf-8', 'base64']), 'utf-8'),
      ...terms,
    }),
    result: secret,
    faults: ['too_large', 'vault_locked', 'conflict', ...ON_WRITE],
  }),
  'secret.list': operation({
    summary: 'Lists secrets by name, those after `after`; never a value',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ after: optional(word), limit }),
    result: z.object({ secrets: z.array(secret).readonly() }),
    faults: [...ON_READ],
  }),
  'secret.get': operation({
    summary: 'Answers what is known of a secret: type, purpose, bindings and which versions are kept; never a value',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: named,
    result: secretDetails,
    faults: [...ON_READ],
  }),
  'secret.change': operation({
    summary: 'Changes type, purpose or bindings of a secret; `bind` adds to what it is bound to, `unbind` takes from it',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ name: word, ...terms, bind: bindings, unbind: bindings }),
    result: secret,
    faults: ['vault_locked', 'conflict', ...ON_WRITE],
  }),
  'secret.rollback': operation({
    summary: 'Makes an older value of a secret the one that is used, as a new version',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ name: word, version: int }),
    result: secret,
    faults: ['vault_locked', 'conflict', ...ON_WRITE],
  }),
  'secret.revoke': operation({
    summary: 'Keeps a secret from being used until it is restored',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: named,
    result: secret,
    faults: ['vault_locked', 'conflict', ...ON_WRITE],
  }),
  'secret.restore': operation({
    summary: 'Lets a secret that was revoked be used again',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: named,
    result: secret,
    faults: ['vault_locked', 'conflict', ...ON_WRITE],
  }),
  'secret.delete': operation({
    summary: 'Deletes a secret with all its versions, for good',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: named,
    result: z.object({ deleted: z.boolean() }),
    faults: [...ON_WRITE],
  }),
  'secret.rotate_key': operation({
    summary: 'Seals all secrets of the workspace under a new data key; they can be used meanwhile',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({}),
    result: z.object({ sealed: int }),
    faults: ['vault_locked', 'conflict', ...ON_WRITE],
  }),
};
