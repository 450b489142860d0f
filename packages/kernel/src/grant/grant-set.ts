/** Whole sets of grants: parsed, compared and cut down, field by field. */
import { Fault } from '@warren/protocol';
import type { GrantSet } from '../store/tables/grant-table.ts';
import type { GrantField } from './grant-field.ts';
import { HOST_PATTERNS } from './host-pattern.ts';
import { MODEL_PATTERNS } from './model-pattern.ts';
import { PATH_PATTERNS } from './path-pattern.ts';
import { coversList, meetLists, parsePatterns } from './pattern-list.ts';
import { TOOL_PATTERNS } from './tool-pattern.ts';

export const NO_GRANTS: GrantSet = { tools: [], paths: [], hosts: [], models: [], subAgents: false };

/** In canonical form, names sorted; what is absent is not given. Throws `grant_invalid` with the field. */
export function parseGrantSet({ tools = [], paths = [], hosts = [], models = [], subAgents = false }: Partial<GrantSet>): GrantSet {
  if (typeof subAgents !== 'boolean')
    throw new Fault('grant_invalid', 'Cannot use sub_agent: it is no boolean', { details: { field: 'sub_agent' } });
  return {
    tools: parsePatterns(TOOL_PATTERNS, tools).toSorted(),
    paths: parsePatterns(PATH_PATTERNS, paths),
    hosts: parsePatterns(HOST_PATTERNS, hosts).toSorted(),
    models: parsePatterns(MODEL_PATTERNS, models).toSorted(),
    subAgents,
  };
}

/** The first field in which `inner` has something that `outer` has not; undefined when it is within it. */
export function firstExcess(outer: GrantSet, inner: GrantSet): GrantField | undefined {
  if (!coversList(TOOL_PATTERNS, outer.tools, inner.tools)) return 'tool_grants';
  if (!coversList(PATH_PATTERNS, outer.paths, inner.paths)) return 'fs_grants';
  if (!coversList(HOST_PATTERNS, outer.hosts, inner.hosts)) return 'net_grants';
  if (!coversList(MODEL_PATTERNS, outer.models, inner.models)) return 'model_grants';
  return inner.subAgents && !outer.subAgents ? 'sub_agent' : undefined;
}

/** All that is in both. */
export function meetGrantSets(a: GrantSet, b: GrantSet): GrantSet {
  return {
    tools: meetLists(TOOL_PATTERNS, a.tools, b.tools).toSorted(),
    paths: meetLists(PATH_PATTERNS, a.paths, b.paths),
    hosts: meetLists(HOST_PATTERNS, a.hosts, b.hosts).toSorted(),
    models: meetLists(MODEL_PATTERNS, a.models, b.models).toSorted(),
    subAgents: a.subAgents && b.subAgents,
  };
}
