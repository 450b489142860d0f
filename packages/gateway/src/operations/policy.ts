import type { Platform, PoliciesStatus } from '@warren/platform';
import type { HandlersOf } from './handler.ts';
import { toDecision } from './record/rule.ts';
import { toMsIfGiven, toSeconds } from './time.ts';

const CHANGES_MAX = 200;

export function createPolicyHandlers(platform: () => Platform): HandlersOf<'policy.'> {
  return {
    async 'policy.show'(_, { workspace }) {
      return toStatus(platform().policies.status(workspace));
    },

    async 'policy.explain'({ agent, capability, input, taint, at }, { workspace }) {
      return toDecision(await platform().explain(workspace, { agent, capability, input, taint: taint ?? [], at: toMsIfGiven(at) }));
    },

    async 'policy.reload'() {
      return toStatus(await platform().policies.reload());
    },

    async 'policy.simulate'({ files, from, to, workspace, limit = CHANGES_MAX }, { waiting }) {
      const period = { from: toMsIfGiven(from), to: toMsIfGiven(to), workspace };
      const { changes, problems, ...counts } = await platform().simulate(files, { ...period, limit }, waiting());
      return {
        ...counts,
        changes: changes.map(({ at, rule = null, ...change }) => ({ ...change, at: toSeconds(at), rule })),
        problems: problems.map(({ line = null, ...problem }) => ({ ...problem, line })),
      };
    },
  };
}

function toStatus({ version, loadedAt, files, problems }: PoliciesStatus) {
  return {
    version,
    loaded_at: toSeconds(loadedAt),
    files: files.map(({ layer, file, rules, defaultTier = null }) => ({ layer, file, rules, default: defaultTier })),
    problems: problems.map(({ line = null, ...problem }) => ({ ...problem, line })),
  };
}
