import { Fault } from '@warren/protocol';
import type { RunSecret, SecretPlace } from './run-network.ts';
import { safeText } from './safe-text.ts';

const PLACES = ['header', 'query', 'body'] as const satisfies readonly SecretPlace[];
const WORD = /^(?:([A-Za-z_][A-Za-z0-9_]{0,127})=)?([A-Za-z0-9_][A-Za-z0-9_./-]{0,255})(?::([a-z,]+))?$/;

/**
 * `[VARIABLE=]NAME[:PLACE,…]`. The variable is called as the secret unless it says otherwise, in capitals and with `_` where that is no name of a variable; the place is a header.
 * Throws `invalid_argument`.
 */
export function parseRunSecret(text: string): RunSecret {
  const [, variable, name, given = 'header'] = WORD.exec(text) ?? [];
  const places = given.split(',').map((each) => PLACES.find((place) => place === each));
  const known = places.filter((place) => place !== undefined);
  if (name === undefined || known.length < places.length) {
    const shown = safeText(text.slice(0, 100));
    throw new Fault(
      'invalid_argument',
      `Cannot use "${shown}" for --secret: it is NAME or VARIABLE=NAME, with :header, :query or :body behind where another place than a header is meant`,
      { details: { option: '--secret' } },
    );
  }
  return { name, variable: variable ?? variableOf(name), places: [...new Set(known)] };
}

function variableOf(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  const word = name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  return /^[0-9]/.test(word) ? `_${word}` : word;
}
