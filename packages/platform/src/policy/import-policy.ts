/**
 * Policies of an earlier system, in any of the four ways it wrote them, as files of ours:
 *
 *     capabilities: { PATTERN: { tier, rate_limit, rules: [{ condition, tier, reason }] } }     a map; exact names come before patterns
 *     rules: [{ capability, tier, conditions, reason }]                                          a list; the first match decides
 *     rules: [{ match: { capability }, tier, rate_limit: { max_per_hour, escalate_to } }]
 *     defaults: { tier }  overrides: [{ capability, tier }]                                      the organization's
 *
 * with `agent:` and `extends:` beside any of them. Whatever cannot be said here is left out and told.
 */
import { stringify } from 'yaml';
import { z } from 'zod';
import type { PolicyDocument } from './policy-document.ts';
import { type FileProblem, readYaml } from './read-yaml.ts';

export type ImportedPolicy = {
  /** YAML; undefined when the file could not be read. */
  readonly text: string | undefined;
  /** Whose it is, when the file says so: then it belongs in `agents/NAME.yaml`. */
  readonly agent: string | undefined;
  /** What was left out, changed or guessed. */
  readonly notes: readonly string[];
  readonly problems: readonly FileProblem[];
};

type OldRule = Readonly<Record<string, unknown>>;
type NewRule = Record<string, unknown> & { capability: string; tier: string };

const anything = z.record(z.string(), z.unknown());
const old = z.looseObject({
  name: z.string().optional(),
  version: z.union([z.string(), z.number()]).optional(),
  description: z.string().optional(),
  agent: z.string().optional(),
  extends: z.string().optional(),
  defaults: z.looseObject({ tier: z.string().optional() }).optional(),
  capabilities: z.record(z.string(), anything).optional(),
  rules: z.array(anything).optional(),
  overrides: z.array(anything).optional(),
});

const KNOWN = ['name', 'version', 'description', 'agent', 'extends', 'defaults', 'capabilities', 'rules', 'overrides'];
/** Without one of these a file decides nothing. */
const MEANT = ['defaults', 'capabilities', 'rules', 'overrides', 'extends'] as const;
const TIERS: readonly string[] = ['autonomous', 'notify', 'approval_required', 'blocked'];
const HOUR_S = 3_600;

export function importPolicy(content: string, file: string): ImportedPolicy {
  const { value, problems } = readYaml(content, file, old);
  if (value === undefined) return { text: undefined, agent: undefined, notes: [], problems };
  if (!MEANT.some((key) => Object.hasOwn(value, key)))
    return {
      text: undefined,
      agent: undefined,
      notes: [],
      problems: [{ file, line: 1, severity: 'error', message: `says nothing of a policy: there is none of ${MEANT.join(', ')}` }],
    };
  const notes: string[] = [];
  const say = (note: string): number => notes.push(note);
  for (const key of Object.keys(value)) if (!KNOWN.includes(key)) say(`${key} was left out: there is nothing like it here`);
  const rules = [
    ...(value.overrides ?? []).flatMap((rule, index) => importListed(rule, `overrides[${index}]`, say)),
    ...(value.rules ?? []).flatMap((rule, index) => importListed(rule, `rules[${index}]`, say)),
    ...importMap(value.capabilities ?? {}, say),
  ];
  const tier = value.defaults?.tier;
  const document: Partial<Record<keyof PolicyDocument, unknown>> = {
    ...(value.name === undefined ? {} : { name: value.name }),
    ...(value.version === undefined ? {} : { version: String(value.version) }),
    ...(value.description === undefined ? {} : { description: value.description }),
    ...(value.extends === undefined ? {} : { extends: value.extends }),
    ...(tier === undefined ? {} : { default: knownTier(tier, 'defaults', say) }),
    rules,
  };
  if (tier === undefined && value.extends === undefined)
    say('there was no default: the tier of each capability holds where no rule matches');
  const header = notes.map((note) => `# ${note}\n`).join('');
  return { text: `${header}${stringify(document, { lineWidth: 140 })}`, agent: value.agent, notes, problems };
}

/** In a map an exact name comes before a pattern, and a longer pattern before a shorter one. */
function importMap(capabilities: Readonly<Record<string, OldRule>>, say: (note: string) => void): readonly NewRule[] {
  const isPattern = (name: string): number => (name.includes('*') ? 1 : 0);
  const names = Object.keys(capabilities).toSorted((one, other) => isPattern(one) - isPattern(other) || other.length - one.length);
  return names.flatMap((name) => {
    const { rules, tier, ...rest } = capabilities[name] ?? {};
    const inner = Array.isArray(rules) ? (rules as readonly OldRule[]) : []; // What is no object has none of the fields.
    const conditional = inner.flatMap((rule, index) =>
      importListed({ ...rule, capability: name }, `capabilities.${name}.rules[${index}]`, say),
    );
    return tier === undefined
      ? conditional
      : [...conditional, ...importListed({ ...rest, capability: name, tier }, `capabilities.${name}`, say)];
  });
}

function importListed(rule: OldRule, place: string, say: (note: string) => void): readonly NewRule[] {
  const { match, condition, conditions = condition, capability, tier, reason, rate_limit: rate, ...rest } = rule;
  const matched = isObject(match) ? match : {};
  const name = capability ?? matched['capability'];
  if (typeof name !== 'string' || typeof tier !== 'string') {
    say(`${place} was left out: it names no capability or no tier`);
    return [];
  }
  for (const key of [...Object.keys(rest), ...Object.keys(matched).filter((each) => each !== 'capability')])
    say(`${place}: ${key} was left out`);
  const when = isObject(conditions) ? importConditions(conditions, place, say) : undefined;
  if (when === null) return [];
  const limit = isObject(rate) ? importLimit(rate, place, say) : undefined;
  return [
    {
      capability: name,
      ...(when === undefined ? {} : { when }),
      tier: knownTier(tier, place, say),
      ...(typeof reason === 'string' ? { reason } : {}),
      ...(limit === undefined ? {} : { limit }),
    },
  ];
}

/** Null when a condition cannot be said: without it the rule would match more than it did. */
function importConditions(conditions: OldRule, place: string, say: (note: string) => void): Record<string, unknown> | null {
  const when: Record<string, unknown> = {};
  const size: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(conditions)) {
    if (name === 'path_prefix' && typeof value === 'string') when['path'] = { under: [inWorkspace(value)] };
    else if (name === 'content_size_lt' && typeof value === 'number') size['lt'] = value;
    else if (name === 'content_size_gte' && typeof value === 'number') size['gte'] = value;
    else if ((name === 'method' || name === 'methods') && value !== null)
      when['args'] = { method: { in: Array.isArray(value) ? value : [value] } };
    else if ((name === 'host' || name === 'hosts' || name === 'domain') && value !== null) when['host'] = { matches: value };
    else {
      say(`${place} was left out: its condition ${name} has no equal here`);
      return null;
    }
  }
  return Object.keys(size).length === 0 ? when : { ...when, size };
}

/** An agent's directory there is `/workspace` here. */
function inWorkspace(path: string): string {
  const inside = path.replace(/^<workspace>|^\$WS|^~/, '/workspace');
  const absolute = inside.startsWith('/') ? inside : `/workspace/${inside}`;
  return absolute.length > 1 ? absolute.replace(/\/+$/, '') : absolute;
}

function importLimit(rate: OldRule, place: string, say: (note: string) => void): Record<string, unknown> | undefined {
  const { max, max_per_hour: perHour, window, on_exceed: onExceed, escalate_to: escalateTo = onExceed } = rate;
  const most = max ?? perHour;
  if (typeof most !== 'number') {
    say(`${place}: rate_limit was left out: it says no number`);
    return undefined;
  }
  const seconds = typeof window === 'number' ? window : HOUR_S;
  const then = typeof escalateTo === 'string' ? { on_exceed: knownTier(escalateTo, place, say) } : {};
  return { max: most, per: `${seconds}s`, ...then };
}

function knownTier(tier: string, place: string, say: (note: string) => void): string {
  if (TIERS.includes(tier)) return tier;
  say(`${place}: the tier ${JSON.stringify(tier)} is unknown and was made approval_required`);
  return 'approval_required';
}

function isObject(value: unknown): value is OldRule {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
