/** Secrets within texts: values that are known, in the encodings they travel in, and forms that say what they are. */

const KNOWN_CHARACTERS_MIN = 6;
const KNOWN_MAX = 1_000;

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
const HINTS = [
  '-----BEGIN',
  'eyJ',
  'AKIA',
  'ASIA',
  'AROA',
  'AIDA',
  'github_pat_',
  'gh',
  'gl',
  'xox',
  'sk',
  'rk_',
  'pk_',
  'AIza',
  'npm_',
  'wrn_',
  'earer',
  'asic',
  '://',
];

export function createTextRedactor(knownSecrets: readonly string[]): (text: string) => string {
  const known = knownPattern(knownSecrets);
  return (text) => {
    let result = known === undefined ? text : text.replace(known, '[REDACTED]');
    if (result.length < KNOWN_CHARACTERS_MIN || !HINTS.some((hint) => result.includes(hint))) return result;
    for (const [name, form] of FORMS) result = result.replace(form, `[REDACTED:${name}]`);
    return result;
  };
}

/** One alternative for each value in each encoding, the longest first. */
function knownPattern(secrets: readonly string[]): RegExp | undefined {
  const all = new Set<string>();
  for (const secret of secrets.slice(0, KNOWN_MAX)) {
    if (secret.length < KNOWN_CHARACTERS_MIN) continue;
    for (const form of formsOf(secret)) if (form.length >= KNOWN_CHARACTERS_MIN) all.add(form);
  }
  if (all.size === 0) return undefined;
  return new RegExp(
    [...all]
      .toSorted((one, other) => other.length - one.length)
      .map((each) => RegExp.escape(each))
      .join('|'),
    'g',
  );
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const percent = encodeURIComponent(secret.toWellFormed());
  return [
    secret,
    ...base64Cores(bytes),
    hex,
    hex.toUpperCase(),
    percent,
    percent.replaceAll('%20', '+'),
    percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    JSON.stringify(secret).slice(1, -1),
  ];
}

/** A value within a longer one is encoded in three ways, by where it begins; of each, the characters that it alone decides. */
function base64Cores(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const first = Math.ceil((shift * 8) / 6);
    const last = Math.floor(((shift + bytes.length) * 8) / 6);
    const core = text.slice(first, last);
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
