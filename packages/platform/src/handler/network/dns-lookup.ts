/** `network.dns_lookup`. */
import type { HandlerContext, HandlerResult } from '../../capability/handler.ts';
import { refusalError } from './refusal-error.ts';

type Input = { readonly hostname: string };

export async function dnsLookup({ hostname }: Input, context: HandlerContext): Promise<HandlerResult> {
  try {
    return { output: { addresses: await context.egress.lookup({ hosts: context.hosts }, hostname, context.signal), hostname } };
  } catch (error) {
    throw refusalError(error, 'DnsResolutionFailed', { invalid_url: 'InvalidInput' }, { hostname });
  }
}
