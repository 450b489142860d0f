/** A policy file as rules that can be compiled, or what is wrong with it. */
import type { Condition, Layer, PolicyFile, Rule } from '@warren/kernel';
import { type ConditionDocument, type PolicyDocument, policyDocument, type RuleDocument } from './policy-document.ts';
import { type FileProblem, readYaml } from './read-yaml.ts';

/** Where a file stands and whom it is about. */
export type PolicyPlace = { readonly layer: Layer; readonly file: string; readonly of: string | undefined };

export type ReadPolicy = {
  readonly policy: PolicyFile | undefined;
  readonly document: PolicyDocument | undefined;
  readonly problems: readonly FileProblem[];
};

/** `template` gives the text of a template of Warren's, or undefined. */
export function readPolicy(content: string, place: PolicyPlace, template: (name: string) => string | undefined): ReadPolicy {
  const { value: document, problems, lineOf } = readYaml(content, place.file, policyDocument);
  if (document === undefined) return { policy: undefined, document, problems };
  const own = document.rules.map((rule, index) => ({ rule: toRule(rule), line: lineOf(['rules', index]) ?? 1 }));
  const defaultLine = document.default === undefined ? undefined : lineOf(['default']);
  const policy: PolicyFile = { ...place, defaultTier: document.default, defaultLine, rules: own };
  if (document.extends === undefined) return { policy, document, problems };
  const line = lineOf(['extends']) ?? 1;
  const text = template(document.extends);
  if (text === undefined) {
    const message = `extends: there is no template ${JSON.stringify(document.extends)}`;
    return { policy: undefined, document, problems: [{ file: place.file, line, severity: 'error', message }] };
  }
  const base = readPolicy(text, place, () => undefined).policy;
  // A rule with the id of one of the template's is in its place; the others come after, and stand where the file takes them over.
  const ids = new Set(own.map(({ rule }) => rule.id));
  const inherited = (base?.rules ?? [])
    .filter(({ rule }) => rule.id === undefined || !ids.has(rule.id))
    .map(({ rule }) => ({ rule, line }));
  const tier = policy.defaultTier ?? base?.defaultTier;
  return { policy: { ...policy, defaultTier: tier, defaultLine: defaultLine ?? line, rules: [...own, ...inherited] }, document, problems };
}

export function toRule(document: RuleDocument): Rule {
  const { id, capability, tags, agent, when, tier, reason, exception, limit, ask } = document;
  return {
    ...{ id, capability, tags, agent, tier, reason, exception },
    when: when === undefined ? undefined : toCondition(when),
    limit: limit === undefined ? undefined : { what: limit.what, max: limit.max, perMs: limit.per, onExceed: limit.on_exceed },
    ask:
      ask === undefined
        ? undefined
        : {
            ...(ask.quorum === undefined ? {} : { quorum: ask.quorum }),
            ...(ask.approvers === undefined ? {} : { approvers: ask.approvers }),
            ...(ask.expires === undefined ? {} : { expiresMs: ask.expires }),
            ...(ask.escalate === undefined ? {} : { escalate: { afterMs: ask.escalate.after, to: ask.escalate.to } }),
          },
  };
}

export function toCondition(document: ConditionDocument): Condition {
  const { path, host, command, size, args, taint, time, not, any } = document;
  return {
    ...(path === undefined ? {} : { path: { under: path.under, notUnder: path.not_under, glob: path.glob, mode: path.mode } }),
    ...(host === undefined ? {} : { host: { matches: host.matches, notMatches: host.not_matches } }),
    ...(command === undefined ? {} : { command }),
    ...(size === undefined ? {} : { size }),
    ...(args === undefined
      ? {}
      : { args: Object.fromEntries(Object.entries(args).map(([name, value]) => [name, toValueCondition(value)])) }),
    ...(taint === undefined ? {} : { taint }),
    ...(time === undefined ? {} : { time }),
    ...(not === undefined ? {} : { not: toCondition(not) }),
    ...(any === undefined ? {} : { any: any.map(toCondition) }),
  };
}

type ValueDocument = NonNullable<ConditionDocument['args']>[string];

function toValueCondition({ not_in: notIn, starts_with: startsWith, ends_with: endsWith, ...same }: ValueDocument) {
  return { ...same, notIn, startsWith, endsWith };
}
