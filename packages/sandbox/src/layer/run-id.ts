/**
 * Names of runs: eight characters of time, then four of chance, in Crockford's base 32. They sort by time, are short enough to type, and a
 * prefix that only one run has will do.
 */
import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
export type RunId = string & { readonly [brand]: 'RunId' };

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // No i, l, o, u: they are misread.
/** 2025-01-01. Eight characters of milliseconds since last until 2059. */
const EPOCH_MS = 1_735_689_600_000;
const TIME_CHARACTERS = 8;
const CHANCE_CHARACTERS = 4;

const RUN_ID = /^[0-9a-hjkmnp-tv-z]{12}$/;

export function createRunId(nowMs: number): RunId {
  let time = '';
  for (let rest = Math.max(0, nowMs - EPOCH_MS), index = 0; index < TIME_CHARACTERS; index += 1, rest = Math.floor(rest / 32)) {
    time = `${ALPHABET.charAt(rest % 32)}${time}`;
  }
  const chance = [...randomBytes(CHANCE_CHARACTERS)].map((byte) => ALPHABET.charAt(byte % 32));
  return `${time}${chance.join('')}` as RunId; // The brand is given here and in isRunId.
}

export function isRunId(text: string): text is RunId {
  return RUN_ID.test(text);
}
