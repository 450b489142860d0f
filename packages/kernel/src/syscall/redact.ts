/** Takes what must not be seen out of a text. Applied to whatever leaves the gate: results, errors, progress, the journal, the audit. */
export type Redact = (text: string) => string;

const OWN_TOKENS = /wrn_[A-Za-z0-9_-]{43}/g;

/** Warren's own tokens, which it knows by their form. */
export const redactOwnTokens: Redact = (text) => (text.includes('wrn_') ? text.replace(OWN_TOKENS, '[REDACTED:token]') : text);
