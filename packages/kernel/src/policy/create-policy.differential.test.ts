/** The engine against the contract read aloud, on rules and requests made of dice. WARREN_PROPERTY_RUNS asks more questions, WARREN_PROPERTY_SEED repeats. */
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import { createPolicy } from './create-policy.ts';
import { type ReadCounter, TIERS } from './policy.ts';
import { decideNaively } from './test-support/naive-policy.ts';
import { createDice, randomAllowances, randomFiles, randomRequest, WORKSPACE } from './test-support/random-policy.ts';

const QUESTIONS = Number(process.env['WARREN_PROPERTY_RUNS'] ?? 20_000);
const SEED = Number(process.env['WARREN_PROPERTY_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const QUESTIONS_EACH = 250;

it('decides as the contract says', { timeout: 3_600_000 }, () => {
  const seen = { several: 0, exceptions: 0, exceeded: 0, allowances: 0, undecided: 0 };
  for (let round = 0; round < QUESTIONS / QUESTIONS_EACH; round++) {
    const dice = createDice(SEED + round);
    const files = randomFiles(dice, round % 5 === 0 ? 120 : 12);
    const policy = createPolicy(files, { version: 'v', workspace: WORKSPACE });
    for (let question = 0; question < QUESTIONS_EACH; question++) {
      const request = randomRequest(dice);
      const allowances = randomAllowances(dice);
      const salt = dice(7);
      const read: ReadCounter = ({ key }) => {
        const amount = (key.length * 7 + salt) % 8;
        return { amount, oldestAt: amount === 0 ? undefined : request.at - (key.length % 50) * 900 };
      };
      const decision = policy.decide(request, read, allowances);
      const where = `WARREN_PROPERTY_SEED=${SEED}, round ${round}, question ${question}`;
      if (decision.rule?.layer === 'builtin') throw new Error(`a harmless question was blocked: ${where}`);
      const expected = decideNaively(files, WORKSPACE, request, read, allowances);
      if (!isDeepStrictEqual(decision, expected)) expect({ where, ...decision }).toEqual({ where, ...expected });
      seen.several += Number(decision.opinions.length > 1);
      seen.exceptions += Number(decision.exception !== undefined);
      seen.exceeded += Number(decision.exceeded !== undefined);
      seen.allowances += Number(decision.rule?.layer === 'allowance');
      seen.undecided += Number(decision.rule === undefined);
      if (question % 10 > 0) continue;
      const { mildest, strictest } = policy.outlook(request);
      const rank = TIERS.indexOf(decision.rule?.layer === 'allowance' ? 'approval_required' : decision.tier);
      if (rank < TIERS.indexOf(mildest) || rank > TIERS.indexOf(strictest)) throw new Error(`the outlook was another: ${where}`);
    }
  }
  // What the dice never throw is not tested.
  expect(seen.several).toBeGreaterThan(QUESTIONS / 4);
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(QUESTIONS / 500);
  if (process.env['WARREN_PROPERTY_RUNS'] !== undefined) console.log(QUESTIONS, SEED, seen);
});
