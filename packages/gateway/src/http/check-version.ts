/** The header by which clients of an earlier system say which version they speak. It may be left out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { headerOf } from './header.ts';
import { sendJson } from './reply.ts';

const HEADER = 'Cheetahclaws-Api-Version';
const API_VERSION = '0';

export function isKnownVersion(request: IncomingMessage): boolean {
  const got = versionOf(request);
  return got === undefined || got === API_VERSION;
}

/** Whether the request may go on; else it is answered. */
export function acceptVersion(request: IncomingMessage, response: ServerResponse): boolean {
  if (isKnownVersion(request)) return true;
  const got = versionOf(request) ?? '';
  sendJson(response, 426, JSON.stringify({ error: 'api_version_mismatch', expected: API_VERSION, got: got.slice(0, 64), header: HEADER }));
  return false;
}

function versionOf(request: IncomingMessage): string | undefined {
  return headerOf(request, HEADER.toLowerCase());
}
