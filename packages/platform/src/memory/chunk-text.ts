/**
 * Long text in parts: whole lines as far as they go, each part beginning with the last lines of the one before, so that what stands at an edge is found in one of them. Sizes are in
 * tokens of about four characters.
 */
export type Chunk = {
  /** Characters of the text, half open. */
  readonly start: number;
  readonly end: number;
  /** From 1, inclusive. */
  readonly firstLine: number;
  readonly lastLine: number;
};

const CHARACTERS_PER_TOKEN = 4;
const CHUNK_CHARACTERS_MIN = 32;

type Piece = { readonly start: number; readonly end: number; readonly line: number };

/** At least one, also of nothing. */
export function chunkText(
  text: string,
  { tokens, overlapTokens }: { readonly tokens: number; readonly overlapTokens: number },
): readonly Chunk[] {
  const most = Math.max(CHUNK_CHARACTERS_MIN, tokens * CHARACTERS_PER_TOKEN);
  const overlap = overlapTokens * CHARACTERS_PER_TOKEN;
  const chunks: Chunk[] = [];
  let held: Piece[] = [];
  let length = 0;
  const close = (): void => {
    const [first, last] = [held[0], held.at(-1)];
    if (first !== undefined && last !== undefined)
      chunks.push({ start: first.start, end: last.end, firstLine: first.line, lastLine: last.line });
  };
  for (const piece of pieces(text, most)) {
    const size = piece.end - piece.start + 1;
    if (held.length > 0 && length + size > most + 1) {
      close();
      held = carry(held, overlap);
      length = held.reduce((sum, { start, end }) => sum + end - start + 1, 0);
      if (length + size > most + 1) [held, length] = [[], 0]; // What would be carried leaves no room for what is new.
    }
    held.push(piece);
    length += size;
  }
  close();
  return chunks;
}

/** Lines, and of a line that is too long parts of it, none of them cut between two halves of a character. */
function* pieces(text: string, most: number): Generator<Piece> {
  let line = 1;
  for (let start = 0; start <= text.length; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    for (let from = start; ; ) {
      let to = Math.min(end, from + most);
      if (to < end && isHighSurrogate(text.charCodeAt(to - 1))) to--;
      yield { start: from, end: to, line };
      if (to >= end) break;
      from = to;
    }
    start = end + 1;
  }
}

function carry(held: readonly Piece[], overlap: number): Piece[] {
  const carried: Piece[] = [];
  let length = 0;
  for (const piece of held.toReversed()) {
    if (length >= overlap) break;
    carried.unshift(piece);
    length += piece.end - piece.start + 1;
  }
  return carried.length === held.length ? carried.slice(1) : carried;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
