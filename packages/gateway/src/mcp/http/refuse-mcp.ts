/** Refusals of `/mcp` that are about no request. */
import type { ServerResponse } from 'node:http';
import type { JsonRpcError } from '@warren/protocol';
import { sendJson } from '../../http/reply.ts';
import { SERVER_ERROR } from '../engine/mcp-error.ts';
import { errorText } from '../engine/messages.ts';
import type { RequestId } from '../engine/read-message.ts';

export function refuseMcp(response: ServerResponse, status: number, message: string): void {
  sendMcpError(response, status, { code: SERVER_ERROR, message });
}

export function sendMcpError(response: ServerResponse, status: number, error: JsonRpcError, id: RequestId | null = null): void {
  if (!response.headersSent && !response.destroyed) sendJson(response, status, errorText(id, error));
}
