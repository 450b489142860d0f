/** The embedder that the operator configured. Its key stands in a file, which is read for each request: it may be rotated. */
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config-format.ts';
import type { Embedder } from './embedder.ts';
import { createEmbedder } from './embedding/create-embedder.ts';

/** Undefined: search goes by words. Faults: `invalid_argument`. */
export function configuredEmbedder({ memory: { embedding } }: Pick<Config, 'memory'>): Embedder | undefined {
  if (embedding === undefined) return undefined;
  const { provider, model, url, key_file: keyFile } = embedding;
  return createEmbedder({
    provider,
    model,
    url,
    ...(keyFile !== undefined && { keyOf: async () => (await readFile(keyFile, 'utf8')).trim() }),
  });
}
