/** Topics and the patterns that match them. A pattern is found by what it is: all that could match a topic are listed and looked up. */
import { Fault } from '@warren/protocol';
import { checkWord } from '../internal/payload.ts';

const WORDS_MAX = 16;
const WILDCARDS_MAX = 2;
const ONE = '*';
const REST = '**';

/** Something to publish to. Throws `mail_invalid`. */
export function checkTopic(topic: string): string {
  checkWord(topic, 'topic', 'mail_invalid');
  if (topic.split('.').some(isWildcard)) throw invalid(topic, 'it is a pattern');
  return topic;
}

/** Something to subscribe to. Throws `mail_invalid`. */
export function checkSubscription(topic: string): { readonly topic: string; readonly isPattern: boolean } {
  checkWord(topic, 'topic', 'mail_invalid');
  const words = topic.split('.');
  if (!words.some(isWildcard)) return { topic, isPattern: false };
  if (words.length > WORDS_MAX) throw invalid(topic, `it has more than ${WORDS_MAX} words`);
  if (!words.every((word) => isWildcard(word) || isPlain(word))) throw invalid(topic, 'a pattern has words of a-z, A-Z, 0-9, _ and - only');
  if (words.slice(0, -1).includes(REST)) throw invalid(topic, `${REST} stands at the end only`);
  if (words.filter((word) => word === ONE).length > WILDCARDS_MAX) throw invalid(topic, `it has more than ${WILDCARDS_MAX} ${ONE}`);
  return { topic, isPattern: true };
}

/** Every pattern that matches this topic. */
export function patternsOf(topic: string): readonly string[] {
  const words = topic.split('.');
  if (words.length > WORDS_MAX || !words.every(isPlain)) return [];
  const patterns: string[] = [];
  let beginnings: readonly Beginning[] = [{ words: [], wildcards: 0 }];
  for (const word of words) {
    patterns.push(...beginnings.map((beginning) => [...beginning.words, REST].join('.')));
    beginnings = beginnings.flatMap((beginning) => grow(beginning, word));
  }
  const ends = beginnings.filter(({ wildcards }) => wildcards > 0).map((end) => end.words.join('.'));
  const rests = words.length < WORDS_MAX ? beginnings.map((end) => [...end.words, REST].join('.')) : [];
  return [...patterns, ...ends, ...rests];
}

type Beginning = { readonly words: readonly string[]; readonly wildcards: number };

function grow({ words, wildcards }: Beginning, word: string): readonly Beginning[] {
  const plain = { words: [...words, word], wildcards };
  return wildcards === WILDCARDS_MAX ? [plain] : [plain, { words: [...words, ONE], wildcards: wildcards + 1 }];
}

function isWildcard(word: string): boolean {
  return word === ONE || word === REST;
}

function isPlain(word: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(word);
}

function invalid(topic: string, why: string): Fault {
  return new Fault('mail_invalid', `Cannot use the topic ${topic}: ${why}`, { details: { field: 'topic' } });
}
