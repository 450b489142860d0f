/** Secrets within texts: values that are known, and forms that say what they are. */
import type { KnownSecret } from './secret-needles.ts';
import { createSecretRedactor } from './secret-redactor.ts';

const CHARACTERS_MIN = 6;

/**
 * Each is one fixed beginning and one run of one class of characters, or bounded parts, so that no text makes it go back and forth. What may follow a run
 * without end is bounded.
 */
const FORMS: readonly (readonly [name: string, form: RegExp])[] = [
  ['private key', /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?:[^-]|-(?!----END)){0,16384}(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?/g],
  ['jwt', /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{2,8192}\.[A-Za-z0-9_-]{0,2048}/g],
  ['aws key', /\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b/g],
  ['github token', /\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255})/g],
  ['gitlab token', /\bgl(?:pat|ptt|dt|rt|soat|cbt|ft)-[A-Za-z0-9_.-]{20,255}/g],
  ['slack token', /\bxox[abeoprs](?:\.[a-z]{1,8})?-[A-Za-z0-9-]{10,255}/g],
  ['api key', /\bsk-[A-Za-z0-9_-]{16,512}/g],
  ['api key', /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,255}/g],
  ['google key', /\bAIza[A-Za-z0-9_-]{35}/g],
  ['npm token', /\bnpm_[A-Za-z0-9]{36}\b/g],
  ['warren token', /\bwrn_[A-Za-z0-9_-]{43}/g],
  ['authorization', /\b(?:[Bb]earer|[Bb]asic) {1,4}[A-Za-z0-9+/_.~=-]{16,4096}/g],
  ['password in url', /(?<=\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s:@/]{0,128}:)[^\s@/]{1,256}(?=@)/g],
];

/** Beginnings of all forms: a text without any of them is not looked at by any. */
const HINT =
  /-----BEGIN|eyJ|A(?:KIA|SIA|ROA|IDA)|gh[pousr]_|github_pat_|gl(?:pat|ptt|dt|rt|soat|cbt|ft)-|xox|sk[-_]|[rp]k_|AIza|npm_|wrn_|earer |asic |:\/\//;

/** Takes out values that are known, in whichever encoding, and what its form says is one. */
export function createTextRedactor(secrets: readonly KnownSecret[]): (text: string) => string {
  if (secrets.length === 0) return withoutForms;
  const redactor = createSecretRedactor(secrets);
  return (text) => withoutForms(redactor.text(text));
}

/** Takes out what its form says is a secret. */
export function withoutForms(text: string): string {
  if (text.length < CHARACTERS_MIN || !HINT.test(text)) return text;
  return FORMS.reduce((result, [name, form]) => result.replace(form, `[REDACTED:${name}]`), text);
}
