/** Several messages in one: only one version of the protocol has that. */
import type { JsonRpcError } from '@warren/protocol';
import { INVALID_REQUEST } from './mcp-error.ts';
import { BATCH_VERSION } from './versions.ts';

/** Why a batch is not taken; undefined when it is. `version`: what is spoken, as far as anybody said. */
export function refuseBatch(version: string | undefined, count: number, batchMax: number): JsonRpcError | undefined {
  if (version !== BATCH_VERSION) {
    const message = `Cannot read the message: it is a batch, which only version ${BATCH_VERSION} of the protocol has; send each message by itself`;
    return { code: INVALID_REQUEST, message, data: { fault: 'unsupported', supported: [BATCH_VERSION] } };
  }
  if (count >= 1 && count <= batchMax) return undefined;
  const fault = count === 0 ? 'invalid_argument' : 'too_large';
  return {
    code: INVALID_REQUEST,
    message: `Cannot read the message: a batch has 1 to ${batchMax} messages, not ${count}`,
    data: { fault },
  };
}
