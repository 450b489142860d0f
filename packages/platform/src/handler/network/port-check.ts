/** `network.port_check`. That nobody listens, or nobody answers in time, is an answer. */
import { EgressRefusal } from '@warren/sandbox';
import type { HandlerContext, HandlerResult } from '../../capability/handler.ts';
import { refusalError } from './refusal-error.ts';

type Input = { readonly host: string; readonly port: number; readonly timeout: number };

export async function portCheck({ host, port, timeout }: Input, context: HandlerContext): Promise<HandlerResult> {
  try {
    const { latencyMs } = await context.egress.probe({ hosts: context.hosts }, { host, port, timeoutMs: timeout * 1_000 }, context.signal);
    return { output: { open: true, latency_ms: Math.round(latencyMs * 1_000) / 1_000, host, port } };
  } catch (error) {
    if (error instanceof EgressRefusal && (error.reason === 'not_connected' || error.reason === 'deadline')) {
      return { output: { open: false, latency_ms: null, host, port } };
    }
    throw refusalError(error, 'ConnectionFailed', { invalid_url: 'InvalidInput', invalid_request: 'InvalidPort' }, { host, port });
  }
}
