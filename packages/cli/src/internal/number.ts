import { Fault } from '@warren/protocol';
import { safeText } from './safe-text.ts';

/** A whole number from 1 up. `name` is the flag, for the message. Throws `invalid_argument`. */
export function parseCount(text: string, name: string): number {
  return /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : refuse(text, name, 'it must be a whole number from 1 up');
}

/** A whole number from 0 up. Throws `invalid_argument`. */
export function parseNatural(text: string, name: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : refuse(text, name, 'it must be a whole number from 0 up');
}

/** A share such as 0.5 or 2. Throws `invalid_argument`. */
export function parseShare(text: string, name: string): number {
  return /^\d{1,6}(?:\.\d{1,6})?$/.test(text) && Number(text) > 0
    ? Number(text)
    : refuse(text, name, 'it must be a number more than zero, as in 0.5 or 2');
}

function refuse(text: string, name: string, why: string): never {
  throw new Fault('invalid_argument', `Cannot use "${safeText(text)}" for ${name}: ${why}`, { details: { option: name } });
}
