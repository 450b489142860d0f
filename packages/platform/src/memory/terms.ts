/**
 * Text as terms that an index can hold. Words of scripts with spaces are taken as they are, in lower case; Korean ones also without their particle; Chinese and Japanese, which have no spaces, as the words
 * that ICU finds and as pairs of characters, so that a part of a compound is found too.
 */
import { STOP_WORDS } from './stop-words.ts';

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const HAN_OR_KANA = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]/u;
const RUNS = /\p{Script=Han}+|[\p{Script=Katakana}ー]+|\p{Script=Hiragana}+|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+/gu;
const HANGUL = /\p{Script=Hangul}/u;
const ASCII = /^[\x00-\x7f]*$/;
const NEEDS_TERMS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー\p{Script=Hangul}\p{Co}]/u;
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
const HAN = /^\p{Script=Han}+$/u;

/** Longest first, so that the whole of a particle is taken. */
const PARTICLES = ['에서는', '으로는', '에게서', '한테서', '이라고', '에서', '으로', '에게', '한테', '까지', '부터', '처럼', '보다', '마다', '라고', '이나', '은', '는', '이', '가', '을', '를', '의', '에', '로', '와', '과', '도', '만', '나']; // biome-ignore format: one line

let segmenter: Intl.Segmenter | undefined;

/** In the order of the text, with repetitions: how often one stands there counts. */
export function termsOf(text: string): readonly string[] {
  const terms: string[] = [];
  for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(WORD)) {
    if (HAN_OR_KANA.test(word)) pushUnspaced(word, terms);
    else {
      terms.push(word);
      const stem = HANGUL.test(word) ? withoutParticle(word) : undefined;
      if (stem !== undefined) terms.push(stem);
    }
  }
  return terms;
}

/** What an index takes its terms from. It parts words and folds them itself; only what it cannot part is parted here. */
export function indexTextOf(text: string): string {
  if (ASCII.test(text)) return text;
  const plain = text.normalize('NFKC').toLowerCase();
  return NEEDS_TERMS.test(plain) ? termsOf(text).join(' ') : plain;
}

/** What somebody looks for who asks this: without words that say nothing, each once. May be nothing. */
export function keywordsOf(query: string): readonly string[] {
  const found: string[] = [];
  const isChinese = !KANA.test(query);
  for (const [word] of query.normalize('NFKC').toLowerCase().matchAll(WORD)) {
    if (!HAN_OR_KANA.test(word)) found.push(word, ...(HANGUL.test(word) ? [withoutParticle(word) ?? word] : []));
    else for (const [run] of word.matchAll(RUNS)) found.push(...keywordsOfRun(run, isChinese));
  }
  return [...new Set(found.filter((term) => !saysNothing(term)))];
}

/** A Chinese run as its characters and pairs of them; a Japanese one as it stands, of kanji with their pairs. */
function keywordsOfRun(run: string, isChinese: boolean): readonly string[] {
  if (!HAN.test(run)) return [run];
  const characters = [...run];
  if (STOP_WORDS.has(run)) return [];
  if (isChinese) return [...characters, ...pairs(characters)];
  return characters.length > 2 ? [run, ...pairs(characters)] : [run];
}

function saysNothing(term: string): boolean {
  if (STOP_WORDS.has(term) || /^\p{N}+$/u.test(term)) return true;
  return /^[a-z]{1,2}$/.test(term) || /^\p{Script=Hiragana}$/u.test(term);
}

function pushUnspaced(word: string, terms: string[]): void {
  for (const [run] of word.matchAll(RUNS)) {
    if (HAN.test(run)) terms.push(...pairs([...run]));
    else if (!HAN_OR_KANA.test(run)) terms.push(run);
  }
  segmenter ??= new Intl.Segmenter('ja', { granularity: 'word' });
  for (const { segment } of segmenter.segment(word))
    if (HAN_OR_KANA.test(segment) && !/^\p{Script=Han}{2}$/u.test(segment)) terms.push(segment);
}

function pairs(characters: readonly string[]): readonly string[] {
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function withoutParticle(word: string): string | undefined {
  const particle = PARTICLES.find((each) => word.length > each.length && word.endsWith(each));
  const stem = particle === undefined ? undefined : word.slice(0, -particle.length);
  // One syllable of Korean alone is hardly ever a word; of another script before a particle it may be.
  return stem === undefined || (stem.length < 2 && HANGUL.test(stem)) ? undefined : stem;
}
