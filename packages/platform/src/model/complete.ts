/** Asks, and waits for the end: for whoever does not need to see it coming. */
import type { Model, ModelFinish, ModelPart, ModelRequest } from './model.ts';

export async function complete(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal,
  onPart: (part: ModelPart) => void = () => {},
): Promise<ModelFinish> {
  let finish: ModelFinish | undefined;
  for await (const part of model.stream(request, signal)) {
    onPart(part);
    if (part.type === 'finish') finish = part;
  }
  if (finish === undefined) throw new Error(`The stream of ${model.name} ended without an end`);
  return finish;
}

/** The text of an answer, without thoughts. */
export function answerText({ message }: Pick<ModelFinish, 'message'>): string {
  return message.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** All that was read and said, however it was cached. */
export function tokensUsed({ usage }: Pick<ModelFinish, 'usage'>): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens + usage.outputTokens;
}
