/** A text as models stream it: word by word, and a long one in not too many pieces. Put together they are the text. */
const PIECES_MAX = 200;

export function piecesOf(text: string): readonly string[] {
  const words = text.match(/\s*\S+|\s+$/g) ?? [];
  const each = Math.ceil(words.length / PIECES_MAX);
  return Array.from({ length: each === 0 ? 0 : Math.ceil(words.length / each) }, (_, index) =>
    words.slice(index * each, (index + 1) * each).join(''),
  );
}
