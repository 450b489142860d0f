/** The capabilities of category `network`. Nothing here opens a connection: the egress guard does, to what the caller was granted. */
import type { Handlers } from '../../capability/handler.ts';
import { dnsLookup } from './dns-lookup.ts';
import { download } from './download.ts';
import { httpRequest } from './http-request.ts';
import { portCheck } from './port-check.ts';

export const networkHandlers = {
  'network.http_request': httpRequest,
  'network.download': download,
  'network.dns_lookup': dnsLookup,
  'network.port_check': portCheck,
} as unknown as Handlers; // The gate parses inputs by the definitions, which say these types.
