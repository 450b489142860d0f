/** Texts in requests, in their order: no request has more of them, or more tokens, than its provider takes. */
const CHARACTERS_PER_TOKEN = 4;

/** As providers count them, about. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

export function* batchesOf(
  texts: readonly string[],
  { textsMax, requestTokensMax }: { readonly textsMax: number; readonly requestTokensMax: number },
): Generator<readonly string[]> {
  let batch: string[] = [];
  let tokens = 0;
  for (const text of texts) {
    const size = tokensOf(text);
    if (batch.length > 0 && (batch.length >= textsMax || tokens + size > requestTokensMax)) {
      yield batch;
      [batch, tokens] = [[], 0];
    }
    batch.push(text);
    tokens += size;
  }
  if (batch.length > 0) yield batch;
}
