import { EgressRefusal, type EgressResponse } from '../../packages/sandbox/src/egress/egress.ts';

/** The refusal that this ends with; anything else, success included, is an error. */
export async function refusalOf(work: Promise<unknown>): Promise<EgressRefusal> {
  const outcome = await work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome && outcome.error instanceof EgressRefusal) return outcome.error;
  throw new Error('was not refused', { cause: 'error' in outcome ? outcome.error : outcome.value });
}

export async function readAll({ body }: EgressResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
