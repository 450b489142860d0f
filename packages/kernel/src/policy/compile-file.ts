import { type CompiledRule, compileRule, rankOf } from './compile-rule.ts';
import type { Dimension } from './index/dimension.ts';
import { createRuleIndex, type RuleIndex } from './index/rule-index.ts';
import { LAYERS, type PolicyFile, type RuleRef } from './policy.ts';

/** A file as it is asked. */
export type CompiledFile = {
  readonly layer: number;
  readonly rules: RuleIndex;
  /** What it says when no rule matches. */
  readonly fallback: { readonly rank: number; readonly ref: RuleRef } | undefined;
};

export function compileFile(file: PolicyFile, dimensions: readonly Dimension[]): CompiledFile {
  const rules: readonly CompiledRule[] = file.rules.map((each, position) => compileRule(file, each, position));
  const { layer, file: name, defaultTier, defaultLine = 1 } = file;
  return {
    layer: LAYERS.indexOf(layer),
    rules: createRuleIndex(rules, dimensions),
    fallback:
      defaultTier === undefined
        ? undefined
        : { rank: rankOf(defaultTier), ref: { layer, file: name, line: defaultLine, rule: 'default', reason: undefined } },
  };
}
