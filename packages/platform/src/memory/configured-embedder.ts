/** The embedder that the operator configured. Its key stands in a file or in the vault, and is had for each request: it may be rotated. */
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config-format.ts';
import { type ConfiguredSecret, requestTo } from '../vault/configured-secret.ts';
import type { Embedder } from './embedder.ts';
import { createEmbedder } from './embedding/create-embedder.ts';
import { EMBEDDING_WIRES } from './embedding/embedding-wire.ts';

/** What its secret is bound to. */
export const EMBEDDING_CAPABILITY = 'memory.embedding';

/** Undefined: search goes by words. Faults: `invalid_argument`. */
export function configuredEmbedder({ memory: { embedding } }: Pick<Config, 'memory'>, secretOf: ConfiguredSecret): Embedder | undefined {
  if (embedding === undefined) return undefined;
  const { provider, model, url, key_file: keyFile, secret } = embedding;
  const keyOf =
    keyFile !== undefined
      ? async () => (await readFile(keyFile, 'utf8')).trim()
      : secret !== undefined
        ? async () => await secretOf(secret, requestTo(url ?? EMBEDDING_WIRES[provider].url ?? '', EMBEDDING_CAPABILITY))
        : undefined;
  return createEmbedder({ provider, model, url, ...(keyOf !== undefined && { keyOf }) });
}
