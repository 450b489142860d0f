/** What is different between two sets of policy files, rule by rule. */
import type { PolicyFile, Rule } from '@warren/kernel';
import { formatDuration } from '@warren/protocol';

export type PolicyChange = {
  readonly kind: 'added' | 'removed' | 'changed' | 'moved';
  readonly layer: PolicyFile['layer'];
  readonly file: string;
  /** The rule's id, or its place. */
  readonly rule: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
};

/** By file, in the order of the rules. A rule without an id is known by what it says. */
export function diffPolicies(before: readonly PolicyFile[], after: readonly PolicyFile[]): readonly PolicyChange[] {
  const files = new Set([...before, ...after].map(({ file }) => file));
  return [...files].toSorted().flatMap((file) =>
    diffFile(
      before.find((each) => each.file === file),
      after.find((each) => each.file === file),
    ),
  );
}

function diffFile(before: PolicyFile | undefined, after: PolicyFile | undefined): readonly PolicyChange[] {
  const { layer, file } = after ?? before ?? { layer: 'system', file: '' };
  const [old, fresh] = [rulesOf(before), rulesOf(after)];
  const changes: PolicyChange[] = [];
  const say = (kind: PolicyChange['kind'], rule: string, was: string | undefined, is: string | undefined) =>
    changes.push({ kind, layer, file, rule, before: was, after: is });
  if (before?.defaultTier !== after?.defaultTier) say('changed', 'default', before?.defaultTier, after?.defaultTier);
  const kept = [...fresh.keys()].filter((key) => old.has(key));
  const order = [...old.keys()].filter((key) => fresh.has(key));
  for (const [key, { name, text }] of old) if (!fresh.has(key)) say('removed', name, text, undefined);
  for (const [key, { name, text }] of fresh) {
    const was = old.get(key);
    if (was === undefined) say('added', name, undefined, text);
    else if (was.text !== text) say('changed', name, was.text, text);
    else if (kept.indexOf(key) !== order.indexOf(key)) say('moved', name, `${order.indexOf(key) + 1}.`, `${kept.indexOf(key) + 1}.`);
  }
  return changes;
}

function rulesOf(file: PolicyFile | undefined): ReadonlyMap<string, { readonly name: string; readonly text: string }> {
  const rules = new Map<string, { name: string; text: string }>();
  for (const [index, { rule }] of (file?.rules ?? []).entries()) {
    const text = sayRule(rule);
    rules.set(rule.id ?? `${text}#${index}`, { name: rule.id ?? `rules[${index}]`, text });
  }
  return rules;
}

/** A rule on one line, the same for equal rules. */
export function sayRule({ id: _id, capability, agent, tags, when, tier, limit, ask, exception, reason }: Rule): string {
  const parts = [
    `${capability.join(', ')} → ${tier}`,
    ...(agent === undefined ? [] : [`agent ${agent.join(', ')}`]),
    ...(tags === undefined ? [] : [`tags ${tags.join(', ')}`]),
    ...(when === undefined ? [] : [`when ${stable(when)}`]),
    ...(limit === undefined ? [] : [`limit ${limit.max} ${limit.what} in ${formatDuration(limit.perMs)}, then ${limit.onExceed}`]),
    ...(ask === undefined ? [] : [`ask ${stable(ask)}`]),
    ...(exception === true ? ['exception'] : []),
    ...(reason === undefined ? [] : [`because: ${reason}`]),
  ];
  return parts.join('; ');
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
