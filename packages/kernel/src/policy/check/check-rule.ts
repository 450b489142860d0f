import { formatDuration } from '@warren/protocol';
import { rankOf } from '../compile-rule.ts';
import { type AskTerms, type Limit, type PolicyFile, type Rule, TIERS } from '../policy.ts';
import { LIST_MAX, QUORUM_MAX, SECOND_MS, YEAR_MS } from '../policy-bounds.ts';
import { problemsOfCondition } from './check-condition.ts';
import { isCapabilityPattern, isPlainText, quoted } from './check-text.ts';

type Tell = (message: string) => void;

/** What is wrong with one rule of a file. */
export function problemsOfRule(rule: Rule, { layer }: PolicyFile): readonly string[] {
  const problems: string[] = [];
  const tell: Tell = (message) => problems.push(message);
  if (!TIERS.includes(rule.tier)) tell(`tier is ${quoted(rule.tier)}, none of ${TIERS.join(', ')}`);
  checkId(rule.id, tell);
  checkNames(rule.capability, 'capability', isCapabilityPattern, tell);
  if (rule.tags !== undefined) checkNames(rule.tags, 'tags', (tag) => isPlainText(tag, 128), tell);
  if (rule.agent !== undefined) checkNames(rule.agent, 'agent', (name) => isPlainText(name, 256), tell);
  if (rule.reason !== undefined && (typeof rule.reason !== 'string' || rule.reason.length > 4_096))
    tell('reason is longer than 4096 characters');
  if (rule.exception === true && layer === 'agent') tell("exception means nothing in an agent's file: no layer is below it");
  if (rule.when !== undefined) for (const problem of problemsOfCondition(rule.when)) tell(problem);
  if (rule.limit !== undefined) checkLimit(rule.limit, rule, tell);
  if (rule.ask !== undefined) checkAsk(rule.ask, tell);
  return problems;
}

function checkId(id: string | undefined, tell: Tell): void {
  if (id === undefined) return;
  if (!isPlainText(id, 128)) tell(`id is ${quoted(id)}, which is no name of at most 128 characters`);
  else if (id === 'default' || /^rules\[\d+\]$/.test(id)) tell(`id is ${quoted(id)}, a name that is given to rules without one`);
}

function checkNames(names: readonly unknown[], part: string, isName: (name: unknown) => boolean, tell: Tell): void {
  if (!Array.isArray(names) || names.length === 0 || names.length > LIST_MAX) tell(`${part} has to list between 1 and ${LIST_MAX} names`);
  else for (const name of names) if (!isName(name)) tell(`${part} has ${quoted(name)}, which is no name or pattern`);
}

function checkLimit({ what, max, perMs, onExceed }: Limit, { tier }: Rule, tell: Tell): void {
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(what)) tell(`limit.what is ${quoted(what)}, neither "calls" nor a dimension`);
  if (!Number.isSafeInteger(max) || max < 1) tell(`limit.max is ${quoted(max)}, no whole number from 1`);
  if (!Number.isSafeInteger(perMs) || perMs < SECOND_MS || perMs > YEAR_MS)
    tell(`limit.per is ${said(perMs)}, not between a second and a year`);
  if (!TIERS.includes(onExceed)) tell(`limit.on_exceed is ${quoted(onExceed)}, none of ${TIERS.join(', ')}`);
  else if (rankOf(onExceed) < rankOf(tier)) tell(`limit.on_exceed is ${onExceed}, milder than the tier of the rule, ${tier}`);
}

function checkAsk({ quorum, approvers, expiresMs, escalate }: Partial<AskTerms>, tell: Tell): void {
  if (quorum !== undefined && (!Number.isSafeInteger(quorum) || quorum < 1 || quorum > QUORUM_MAX))
    tell(`ask.quorum is ${quoted(quorum)}, not between 1 and ${QUORUM_MAX}`);
  if (approvers !== undefined && approvers.length > 0) checkNames(approvers, 'ask.approvers', (name) => isPlainText(name, 128), tell);
  if (expiresMs !== undefined) checkWait(expiresMs, 'ask.expires', tell);
  if (escalate === undefined) return;
  checkWait(escalate.afterMs, 'ask.escalate.after', tell);
  checkNames(escalate.to, 'ask.escalate.to', (name) => isPlainText(name, 128), tell);
  if (expiresMs !== undefined && escalate.afterMs >= expiresMs) tell('ask.escalate comes when the question has expired');
}

function checkWait(ms: number, part: string, tell: Tell): void {
  if (!Number.isSafeInteger(ms) || ms < SECOND_MS || ms > YEAR_MS) tell(`${part} is ${said(ms)}, not between a second and a year`);
}

function said(ms: number): string {
  return Number.isSafeInteger(ms) && ms >= 0 ? formatDuration(ms) : quoted(ms);
}
