import type { DimensionKind } from './dimension.ts';

/** What a call is, without arguments. */
export const CAPABILITY: DimensionKind = {
  isStatic: true,
  keysOfRule: ({ capability }) => capability,
  keysOfRequest: ({ capability }) => patternsOf(capability),
};

export const AGENT: DimensionKind = {
  isStatic: true,
  keysOfRule: ({ agent }) => (agent?.some((name) => name.includes('*')) ? undefined : agent),
  keysOfRequest: ({ agent }) => [agent],
};

export const TAG: DimensionKind = {
  isStatic: true,
  keysOfRule: ({ tags }) => tags,
  keysOfRequest: ({ tags }) => tags,
};

/** Everything a rule may say that means this capability. */
export function patternsOf(capability: string): readonly string[] {
  const patterns = [capability, '*'];
  for (let at = capability.indexOf('.'); at !== -1; at = capability.indexOf('.', at + 1)) patterns.push(`${capability.slice(0, at)}.*`);
  return patterns;
}
