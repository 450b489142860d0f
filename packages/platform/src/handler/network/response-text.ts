export type ResponseText = { readonly body: string; readonly body_encoding: 'utf-8' | 'base64' };

const CHARSET = /;\s*charset\s*=\s*"?([a-z0-9._:-]{1,40})"?/i;

/** A body as text when it is one, in the encoding its sender names or UTF-8; else as base64. */
export function responseText(bytes: Uint8Array, contentType: string | undefined): ResponseText {
  const text = bytes.includes(0) ? undefined : (decoded(bytes, CHARSET.exec(contentType ?? '')?.[1] ?? 'utf-8') ?? decoded(bytes, 'utf-8'));
  if (text !== undefined) return { body: text, body_encoding: 'utf-8' };
  return { body: Buffer.from(bytes).toString('base64'), body_encoding: 'base64' };
}

function decoded(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // No such encoding, or not in it: that is the answer.
  }
}
