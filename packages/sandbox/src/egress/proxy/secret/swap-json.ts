/** Placeholders in JSON: the text stays as it is, so that no number or order changes; only what stands in a string is replaced, and whose field it is is known. */
import { PREFIX } from './placeholder.ts';
import type { SecretSwap, Written } from './secret-swap.ts';

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],]|[^\s{}[\],"]+/gs;

type Frame = { readonly isObject: boolean; isNameNext: boolean; name: string };

/** `text` is Latin-1 of UTF-8. */
export async function swapJson(text: string, swap: SecretSwap): Promise<string> {
  if (!text.includes(PREFIX)) {
    swap.refuseIn(withoutEscapes(text), 'a placeholder is encoded');
    return text;
  }
  if (!isJson(text)) throw swap.misplaced('its body is not the JSON that it says it is');
  const frames: Frame[] = [];
  const pieces: string[] = [];
  let end = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const frame = frames.at(-1);
    switch (token[0]) {
      case '{':
      case '[':
        frames.push({ isObject: token === '{', isNameNext: token === '{', name: frame?.name ?? '' });
        break;
      case '}':
      case ']':
        frames.pop();
        break;
      case ',':
        if (frame?.isObject === true) frame.isNameNext = true;
        break;
      case '"':
        if (frame?.isNameNext === true) {
          frame.name = JSON.parse(token) as string; // It is a string of JSON: the whole text is.
          frame.isNameNext = false;
          swap.refuseIn(frame.name, 'a placeholder stands in the name of a field of the body');
          break;
        }
        pieces.push(text.slice(end, index), await swap.swap(token, { kind: 'body', name: frame?.name ?? '' }, jsonText(swap)));
        end = index + token.length;
        break;
      default: // Numbers, words and colons.
    }
  }
  return pieces.join('') + text.slice(end);
}

function jsonText(swap: SecretSwap): Written {
  return (value) => {
    try {
      return Buffer.from(JSON.stringify(new TextDecoder('utf-8', { fatal: true }).decode(value)).slice(1, -1));
    } catch {
      throw swap.misplaced('its value is no text, and JSON holds nothing else');
    }
  };
}

/** As far as a placeholder can be written with escapes. */
function withoutEscapes(text: string): string {
  return text.replace(/\\u00([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
