/** Whether what somebody serves as `kernel.*` is what is promised. */
import type { Tier } from './operation.ts';
import { isOperationName, OPERATIONS } from './operations.ts';

export type ContractReport = {
  /** Promised and not served. */
  readonly missing: readonly string[];
  /** Served and never promised. */
  readonly extra: readonly string[];
  /** Served as promised. */
  readonly by_tier: Readonly<Record<Tier, readonly string[]>>;
};

/** Names that do not begin with `kernel.` are nobody's business here. */
export function verifyContract(registeredNames: Iterable<string>): ContractReport {
  const registered = new Set([...registeredNames].filter(isOfKernel));
  const promised = Object.keys(OPERATIONS).filter(isOfKernel);
  const byTier = (tier: Tier) => [...registered].filter((name) => isOperationName(name) && OPERATIONS[name].tier === tier).toSorted();
  return {
    missing: promised.filter((name) => !registered.has(name)).toSorted(),
    extra: [...registered].filter((name) => !isOperationName(name)).toSorted(),
    by_tier: { stable: byTier('stable'), experimental: byTier('experimental'), deprecated: byTier('deprecated') },
  };
}

function isOfKernel(name: string): boolean {
  return name.startsWith('kernel.');
}
