/** `kernel.cap.*`: what a process may use. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { grant, grantParams, pathMode } from '../record/grant.ts';
import { itsTree, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { int } from '../value/number.ts';
import { word } from '../value/text.ts';

const allowed = z.object({ allowed: z.boolean() });

export const CAP_OPERATIONS = {
  'kernel.cap.create': operation({
    summary: 'Gives a process its grants, within those of its parent if it has one',
    tier: 'stable',
    effect: 'once',
    scope: MEMBER,
    params: z.object({ pid: int, ...grantParams }),
    result: z.object({ cap_id: int, pid: int }),
    faults: ['unknown_pid', 'grant_exists', 'grant_invalid', 'grant_exceeds_parent', ...ON_WRITE],
  }),
  'kernel.cap.derive': operation({
    summary: 'Gives a process grants within those of a process above it',
    tier: 'stable',
    effect: 'once',
    scope: itsTree('parent_pid'),
    params: z.object({ parent_pid: int, child_pid: int, ...grantParams }),
    result: z.object({ cap_id: int, pid: int, parent_cap_id: int }),
    faults: ['unknown_pid', 'grant_exists', 'grant_not_found', 'grant_invalid', 'grant_exceeds_parent', ...ON_WRITE],
  }),
  'kernel.cap.get': operation({
    summary: 'Answers with the grants of a process',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: int }),
    result: grant,
    faults: ['grant_not_found', ...ON_READ],
  }),
  'kernel.cap.check_tool': operation({
    summary: 'Says whether a process may use a capability',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: int, tool: word }),
    result: allowed,
    faults: [...ON_READ],
  }),
  'kernel.cap.check_model': operation({
    summary: 'Says whether a process may use a model',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: int, model: word }),
    result: allowed,
    faults: [...ON_READ],
  }),
  'kernel.cap.check_net': operation({
    summary: 'Says whether a process may reach a host, at `port` or else at every port',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: int, host: word, port: optional(int) }),
    result: allowed,
    faults: [...ON_READ],
  }),
  'kernel.cap.check_fs': operation({
    summary: 'Says whether a process may read a path, or read and write it',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: int, path: word, mode: pathMode }),
    result: allowed,
    faults: [...ON_READ],
  }),
};
