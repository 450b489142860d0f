/** `kernel.api.*`: what the `kernel.*` methods say about themselves. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { ANYONE } from '../scope.ts';
import { optional } from '../value/absent.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { word } from '../value/text.ts';

const tier = z.enum(['stable', 'experimental', 'deprecated']);
const tierCounts = z.object({ stable: int, experimental: int, deprecated: int });

export const API_OPERATIONS = {
  'kernel.api.list_methods': operation({
    summary: 'Lists the names of the `kernel.*` methods or, where a tier is given, of all methods of it',
    tier: 'stable',
    effect: 'read',
    scope: ANYONE,
    params: z.object({ tier: optional(tier) }),
    result: z.object({ methods: listOf(word), tier_counts: tierCounts }),
    faults: [],
  }),
  'kernel.api.version_info': operation({
    summary: 'Answers with the versions of the kernel, its store and these methods',
    tier: 'stable',
    effect: 'read',
    scope: ANYONE,
    params: z.object({}),
    result: z.object({
      kernel_version: word,
      schema_version: int,
      api_version: word,
      method_count: int,
      tier_counts: tierCounts,
      /** Numbers of the documents that earlier clients know the methods by. */
      rfcs_implemented: listOf(int),
    }),
    faults: [],
  }),
};
