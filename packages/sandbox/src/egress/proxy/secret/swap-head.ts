/** Placeholders in the head of a request: in headers, in Basic credentials, and in the query. */
import type { Headers } from '../egress-network.ts';
import { PREFIX, placeholdersIn } from './placeholder.ts';
import type { SecretSwap, Written } from './secret-swap.ts';

/** What a line of a head holds. */
const LINE = /^[\t\x20-\x7e\x80-\xff]*$/;
const BASIC = /^(basic +)([a-z0-9+/]+=*)$/i;

export async function swapHeaders(headers: Headers, swap: SecretSwap): Promise<Headers> {
  const swapped: (readonly [string, string])[] = [];
  for (const [name, value] of headers) {
    swap.refuseIn(name.toLowerCase(), 'a placeholder stands in the name of a header');
    swapped.push([name, await swapHeader(name.toLowerCase(), value, swap)]);
  }
  return swapped;
}

async function swapHeader(name: string, value: string, swap: SecretSwap): Promise<string> {
  const place = { kind: 'header', name } as const;
  const [, scheme = '', credentials = ''] = name === 'authorization' ? (BASIC.exec(value) ?? []) : [];
  if (scheme !== '') {
    const decoded = Buffer.from(credentials, 'base64').toString('latin1');
    if (!decoded.includes(PREFIX)) return value;
    return scheme + Buffer.from(await swap.swap(decoded, place, (secret) => secret), 'latin1').toString('base64');
  }
  const swapped = await swap.swap(value, place, (secret) => secret);
  if (!LINE.test(swapped)) throw swap.misplaced('its value does not fit into a header: it has a line break or another control character');
  return swapped;
}

/** `path` with its query. */
export async function swapQuery(path: string, swap: SecretSwap): Promise<string> {
  const start = path.indexOf('?');
  const [before, query] = start < 0 ? [path, undefined] : [path.slice(0, start), path.slice(start + 1)];
  swap.refuseIn(decodePercent(before), 'a placeholder stands in the path');
  return query === undefined ? path : `${before}?${await swapFields(query, 'query', swap)}`;
}

/** Fields as `a=b&c=d`, as Latin-1. */
export async function swapFields(text: string, kind: 'query' | 'body', swap: SecretSwap): Promise<string> {
  if (!decodePercent(text).includes(PREFIX)) return text;
  const fields: string[] = [];
  for (const field of text.split('&')) {
    const [rawName = '', ...rest] = field.split('=');
    const rawValue = rest.join('=');
    const name = decodePercent(rawName);
    swap.refuseIn(name, `a placeholder stands in the name of a field of the ${kind}`);
    const others = placeholdersIn(rawValue).reduce((left, each) => left.replaceAll(each, ''), rawValue);
    swap.refuseIn(decodePercent(others), `a placeholder is encoded in a field of the ${kind}`);
    const value = await swap.swap(rawValue, { kind, name }, encodePercent);
    fields.push(rest.length === 0 ? field : `${rawName}=${value}`);
  }
  return fields.join('&');
}

/** Also of what is malformed: whatever a server may read there. Latin-1. */
export function decodePercent(text: string): string {
  return text.replaceAll('+', ' ').replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const encodePercent: Written = (value) =>
  Buffer.from(
    [...value]
      .map((byte) => {
        const character = String.fromCharCode(byte);
        return /[A-Za-z0-9._~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
      })
      .join(''),
  );
