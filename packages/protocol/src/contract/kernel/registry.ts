/** `kernel.registry.*`: names under which processes are found. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { nameEntry } from '../record/name.ts';
import { ANYONE, itself, itsTree } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { limit, offset } from '../value/clamped.ts';
import { jsonObject } from '../value/json-object.ts';
import { list, listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { word } from '../value/text.ts';

export const REGISTRY_OPERATIONS = {
  'kernel.registry.register': operation({
    summary: 'Gives a process a name, until it ends',
    tier: 'stable',
    effect: 'once',
    scope: itsTree(),
    params: z.object({ name: word, pid: int, tags: optional(list(word, 1_000)), metadata: optional(jsonObject) }),
    result: z.object({ name: word, pid: int }),
    faults: ['unknown_pid', 'illegal_transition', 'name_taken', 'name_invalid', 'invalid_payload', 'too_large', ...ON_WRITE],
  }),
  'kernel.registry.unregister': operation({
    summary: 'Takes a name away, if `pid` is given only from that process',
    tier: 'stable',
    effect: 'idempotent',
    scope: itself(),
    params: z.object({ name: word, pid: optional(int) }),
    result: z.object({ name: word, removed: int }),
    faults: [...ON_WRITE],
  }),
  'kernel.registry.unregister_pid': operation({
    summary: 'Takes all names of a process away',
    tier: 'stable',
    effect: 'idempotent',
    scope: itsTree(),
    params: z.object({ pid: int }),
    result: z.object({ pid: int, removed: int }),
    faults: [...ON_WRITE],
  }),
  'kernel.registry.lookup': operation({
    summary: 'Answers with whose name it is',
    tier: 'stable',
    effect: 'read',
    scope: ANYONE,
    params: z.object({ name: word }),
    result: nameEntry,
    faults: ['name_not_found', ...ON_READ],
  }),
  'kernel.registry.list': operation({
    summary: 'Lists names in their order, of one prefix and one tag where those are given',
    tier: 'stable',
    effect: 'read',
    scope: ANYONE,
    params: z.object({ prefix: optional(word), tag: optional(word), limit, offset }),
    result: z.object({ entries: listOf(nameEntry), total: int }),
    faults: [...ON_READ],
  }),
};
