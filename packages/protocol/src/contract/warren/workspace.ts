/** `workspace.*`: which tenants there are. Their settings are bounds on them, so only an operator sets them. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { retention, workspaceRecord, workspaceSettings, workspaceUsage } from '../record/workspace.ts';
import { MEMBER, OPERATOR } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { listOf } from '../value/list.ts';
import { word } from '../value/text.ts';

/** What is left out stays as it is, or as it is by default. */
const settings = optional(workspaceSettings.extend({ retention: retention.partial().strict() }).partial().strict());

export const WORKSPACE_OPERATIONS = {
  'workspace.create': operation({
    summary: 'Creates a workspace',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ workspace: word, settings }),
    result: workspaceRecord,
    faults: ['already_exists', ...ON_WRITE],
  }),
  'workspace.delete': operation({
    summary:
      'Deletes a workspace: ends what runs there, destroys its keys and everything of it; what stays is who did what when, in the audit',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ workspace: word }),
    result: z.object({ workspace: word }),
    faults: [...ON_WRITE],
  }),
  'workspace.usage': operation({
    summary: 'Answers with what a workspace has and how much of it',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ workspace: optional(word) }),
    result: workspaceUsage,
    faults: [...ON_READ],
  }),
  'workspace.get': operation({
    summary: 'Answers with a workspace: the one named, or that of the caller',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ workspace: optional(word) }),
    result: workspaceRecord,
    faults: [...ON_READ],
  }),
  'workspace.list': operation({
    summary: 'Lists all workspaces',
    tier: 'experimental',
    effect: 'read',
    scope: OPERATOR,
    params: z.strictObject({}),
    result: z.object({ workspaces: listOf(workspaceRecord) }),
    faults: [...ON_READ],
  }),
  'workspace.update': operation({
    summary: 'Sets what a workspace may use and how long it keeps things',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({ workspace: word, settings }),
    result: workspaceRecord,
    faults: [...ON_WRITE],
  }),
};
