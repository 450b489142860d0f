import { OPERATIONS, type Tier } from '@warren/protocol/contract';
import type { HandlersOf } from './handler.ts';

export type ApiParts = { readonly version: string; readonly schemaVersion: number };

/** What clients of an earlier system are told, and what the methods of it are numbered in its documents. */
const API_VERSION = '0';
const DOCUMENTS = [3, ...range(5, 13), ...range(16, 32)];

export function createApiHandlers({ version, schemaVersion }: ApiParts): HandlersOf<'kernel.api.'> {
  const all = Object.entries(OPERATIONS).map(([name, { tier }]) => ({ name, tier }));
  // Earlier clients count what they are told of when they ask for no tier.
  const methods = all.filter(({ name }) => name.startsWith('kernel.'));
  const count = (tier: Tier): number => all.filter((method) => method.tier === tier).length;
  const counts = { stable: count('stable'), experimental: count('experimental'), deprecated: count('deprecated') };
  return {
    async 'kernel.api.list_methods'({ tier }) {
      const asked = tier === undefined ? methods : all.filter((method) => method.tier === tier);
      return { methods: asked.map(({ name }) => name).toSorted(), tier_counts: counts };
    },

    async 'kernel.api.version_info'() {
      return {
        kernel_version: version,
        schema_version: schemaVersion,
        api_version: API_VERSION,
        method_count: methods.length,
        tier_counts: counts,
        rfcs_implemented: DOCUMENTS,
      };
    },
  };
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
