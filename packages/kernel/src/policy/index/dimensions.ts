import type { Rule } from '../policy.ts';
import { argumentDimensions } from './argument-dimensions.ts';
import type { Dimension } from './dimension.ts';
import { HOST, PROGRAM, pathDimension, prefixDimension, TAINT } from './fact-dimensions.ts';
import { AGENT, CAPABILITY, TAG } from './static-dimensions.ts';

/** All ways in which these rules can be told apart. */
export function dimensionsOf(rules: readonly Rule[]): readonly Dimension[] {
  const kinds = [CAPABILITY, AGENT, TAG, pathDimension(rules), HOST, PROGRAM, prefixDimension(rules), TAINT, ...argumentDimensions(rules)];
  return kinds.map((kind, slot) => ({ ...kind, slot }));
}
