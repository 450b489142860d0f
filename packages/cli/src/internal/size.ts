import { Fault } from '@warren/protocol';
import { safeText } from './safe-text.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const SIZE = /^(\d{1,15}(?:\.\d{1,6})?) ?([kmgt]?)(?:i?b)?$/i;

/** `512m`, `2g`, `1.5GiB`, `4096` → bytes. Units are powers of 1024. `name` is the flag, for the message. Throws `invalid_argument`. */
export function parseSize(text: string, name: string): number {
  const [, number = '', unit = ''] = SIZE.exec(text) ?? [];
  const bytes = Math.round(Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (number === '' || !Number.isSafeInteger(bytes)) {
    throw new Fault('invalid_argument', `Cannot use "${safeText(text)}" for ${name}: a size is a number and a unit, as in 512m or 2g`, {
      details: { option: name },
    });
  }
  if (bytes < 1)
    throw new Fault('invalid_argument', `Cannot use "${safeText(text)}" for ${name}: it must be more than zero`, {
      details: { option: name },
    });
  return bytes;
}

/** Bytes as a person reads them: `512 MiB`, `1.5 GiB`, `999 bytes`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${'KMGT'.charAt(power - 1)}iB`;
}
