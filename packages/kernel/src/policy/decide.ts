import { permitsByAllowance } from './allowance.ts';
import type { CompiledFile } from './compile-file.ts';
import { type CompiledRule, rankOf } from './compile-rule.ts';
import { hardBlockOf } from './hard-blocks/hard-blocks.ts';
import { type Exceeded, isExceeded } from './limit.ts';
import { mergeAsk } from './merge-ask.ts';
import {
  type Allowance,
  type CounterRef,
  DEFAULT_ASK,
  type Decision,
  type PolicyRequest,
  type ReadCounter,
  type RuleRef,
  TIERS,
  type Tier,
} from './policy.ts';
import { Question } from './question.ts';

/** What one file says. */
type Opinion = {
  readonly layer: number;
  readonly ref: RuleRef;
  /** Undefined for a default. */
  readonly rule: CompiledRule | undefined;
  /** Without its limit. */
  readonly baseRank: number;
  readonly rank: number;
  readonly exceeded: Exceeded | undefined;
};

const ASKS = rankOf('approval_required');
const NOWHERE = Number.POSITIVE_INFINITY;
const NO_COUNTERS: readonly CounterRef[] = [];

export function decide(
  files: readonly CompiledFile[],
  request: PolicyRequest,
  read: ReadCounter,
  allowances: readonly Allowance[],
): Decision {
  const block = hardBlockOf(request);
  if (block !== undefined) return blocked(block);
  const question = new Question(request);
  const opinions: Opinion[] = [];
  const counters: CounterRef[] = [];
  let floor = NOWHERE; // The lowest layer that still has a say.
  for (const file of files) {
    const opinion = opinionOf(file, question, file.layer <= floor ? read : undefined, counters);
    if (opinion === undefined) continue;
    opinions.push(opinion);
    if (opinion.rule?.rule.exception === true && opinion.exceeded === undefined) floor = Math.min(floor, opinion.layer);
  }
  return combine(opinions, floor, counters, question, allowances);
}

/** Without `read` the limit of the rule is left alone. */
function opinionOf(file: CompiledFile, question: Question, read: ReadCounter | undefined, counters: CounterRef[]): Opinion | undefined {
  const rule = file.rules.find(question);
  if (rule === undefined) {
    if (file.fallback === undefined) return undefined;
    const { rank, ref } = file.fallback;
    return { layer: file.layer, ref, rule: undefined, baseRank: rank, rank, exceeded: undefined };
  }
  const counter = read === undefined ? undefined : rule.counterFor(question.request.agent);
  if (counter === undefined || read === undefined) return opinionBy(rule, rule.rank, undefined);
  counters.push(counter);
  const exceeded = isExceeded(counter, question.request, read);
  return opinionBy(rule, exceeded === undefined ? rule.rank : rule.exceededRank, exceeded);
}

function opinionBy(rule: CompiledRule, rank: number, exceeded: Exceeded | undefined): Opinion {
  return { layer: rule.layer, ref: rule.ref, rule, baseRank: rule.rank, rank, exceeded };
}

function combine(
  opinions: readonly Opinion[],
  floor: number,
  counters: readonly CounterRef[],
  question: Question,
  allowances: readonly Allowance[],
): Decision {
  const inForce = floor === NOWHERE ? opinions : opinions.filter(({ layer }) => layer <= floor);
  const decisive = strictest(inForce);
  const rank = decisive?.rank ?? rankOf(question.request.defaultTier);
  const told = { opinions: opinions.map(({ rank, ref }) => ({ tier: tierOf(rank), rule: ref })), counters };
  const exception =
    inForce.length === opinions.length ? undefined : inForce.find((each) => each.layer === floor && isInForceException(each))?.ref;
  const rest = { ...told, exception, exceeded: counters.length === 0 ? undefined : exceededBy(opinions, inForce, rank) };
  const allowance = rank === ASKS ? permitsByAllowance(allowances, question) : undefined;
  if (allowance !== undefined) return { tier: 'notify', rule: allowance, ...rest, ask: DEFAULT_ASK };
  return { tier: tierOf(rank), rule: decisive?.ref, ...rest, ask: rank === ASKS ? askOf(inForce) : DEFAULT_ASK };
}

function isInForceException({ rule, exceeded }: Opinion): boolean {
  return rule?.rule.exception === true && exceeded === undefined;
}

/** The topmost of the strictest. */
function strictest(opinions: readonly Opinion[]): Opinion | undefined {
  let best: Opinion | undefined;
  for (const opinion of opinions) if (best === undefined || opinion.rank > best.rank) best = opinion;
  return best;
}

function askOf(inForce: readonly Opinion[]): Decision['ask'] {
  return mergeAsk(inForce.flatMap(({ rank, rule }) => (rank === ASKS && rule?.rule.ask !== undefined ? [rule.rule.ask] : [])));
}

/** The limit without which the tier would be milder. */
function exceededBy(opinions: readonly Opinion[], inForce: readonly Opinion[], rank: number): Decision['exceeded'] {
  const reached = inForce.filter(({ exceeded }) => exceeded !== undefined);
  if (reached.length === 0 || rank <= rankWithoutLimits(opinions)) return undefined;
  const decisive = reached.filter((each) => each.rank === rank);
  const blamed = decisive.length > 0 ? decisive : reached.filter(({ rule }) => rule?.rule.exception === true);
  const slowest = blamed.reduce((one, other) => (waitOf(other) > waitOf(one) ? other : one));
  return slowest.exceeded === undefined ? undefined : { rule: slowest.ref, ...slowest.exceeded };
}

function waitOf({ exceeded }: Opinion): number {
  return exceeded?.retryAfterMs ?? 0;
}

function rankWithoutLimits(opinions: readonly Opinion[]): number {
  const floor = opinions.find(({ rule }) => rule?.rule.exception === true)?.layer ?? NOWHERE;
  return Math.max(...opinions.filter(({ layer }) => layer <= floor).map(({ baseRank }) => baseRank));
}

function blocked(rule: RuleRef): Decision {
  return {
    tier: 'blocked',
    rule,
    opinions: [{ tier: 'blocked', rule }],
    exception: undefined,
    exceeded: undefined,
    counters: NO_COUNTERS,
    ask: DEFAULT_ASK,
  };
}

function tierOf(rank: number): Tier {
  return TIERS[rank] ?? 'blocked';
}
