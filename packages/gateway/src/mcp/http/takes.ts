import type { IncomingMessage } from 'node:http';
import { headerOf } from '../../http/header.ts';

export type Takes = { readonly json: boolean; readonly events: boolean };

/** What a client says it takes. Who says nothing takes anything. */
export function takesOf(request: IncomingMessage): Takes {
  const accept = headerOf(request, 'accept')?.toLowerCase() ?? '*/*';
  const any = accept.includes('*/*');
  return {
    json: any || accept.includes('application/json') || accept.includes('application/*'),
    events: any || accept.includes('text/event-stream') || accept.includes('text/*'),
  };
}
