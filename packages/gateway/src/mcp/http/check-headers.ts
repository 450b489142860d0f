/**
 * In the version without sessions headers repeat what stands in the body, for whoever routes by them. Both must say the same, or one could be shown to a
 * wall in between and the other be carried out.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { JsonObject, JsonValue } from '@warren/protocol';
import { headerOf } from '../../http/header.ts';
import { isObject } from '../../internal/is-object.ts';
import { HEADER_MISMATCH, McpError } from '../engine/mcp-error.ts';
import { METHODS } from '../engine/methods.ts';
import type { McpRequest } from '../engine/read-message.ts';
import { unsupportedVersion } from '../engine/stateless.ts';
import { META, STATELESS_VERSION } from '../engine/versions.ts';
import type { McpHost } from '../host.ts';

export const VERSION_HEADER = 'mcp-protocol-version';

/** Throws `McpError`. */
export function checkHeaders(request: IncomingMessage, { method, params }: McpRequest): void {
  checkVersion(request, params);
  requireSame('Mcp-Method', headerOf(request, 'mcp-method'), method);
  const subject = METHODS.get(method)?.subject;
  const named = subject === undefined ? undefined : params[subject];
  if (typeof named === 'string') requireSame('Mcp-Name', decode('Mcp-Name', headerOf(request, 'mcp-name')), named);
}

function checkVersion(request: IncomingMessage, params: JsonObject): void {
  const header = headerOf(request, VERSION_HEADER);
  const meta = params['_meta'];
  const version = isObject(meta) ? meta[META.protocolVersion] : undefined;
  if (header === undefined) throw mismatch('MCP-Protocol-Version is missing');
  if (typeof version === 'string' && version !== header) throw mismatch('MCP-Protocol-Version is not that of the body');
  if (header !== STATELESS_VERSION) throw unsupportedVersion(header);
}

const DEPTH_MAX = 16;

/** Those of a tool's parameters that its schema puts into headers. Throws `McpError`. */
export function checkParameters(request: IncomingMessage, { params }: McpRequest, { tools }: McpHost): void {
  const { name, arguments: args } = params;
  const schema = typeof name === 'string' ? tools.headersOf?.(name) : undefined;
  if (schema !== undefined) compare(request, schema, isObject(args) ? args : {}, 0);
}

function compare(request: IncomingMessage, schema: JsonObject, args: JsonObject, depth: number): void {
  const { properties } = schema;
  if (!isObject(properties) || depth > DEPTH_MAX) return;
  for (const [property, inner] of Object.entries(properties)) {
    if (!isObject(inner)) continue;
    const value = Object.hasOwn(args, property) ? args[property] : undefined;
    const suffix = inner['x-mcp-header'];
    if (typeof suffix === 'string') {
      const header = `Mcp-Param-${suffix}`;
      requireValue(header, decode(header, headerOf(request, header.toLowerCase())), value ?? undefined);
    }
    compare(request, inner, isObject(value) ? value : {}, depth + 1);
  }
}

function requireValue(header: string, got: string | undefined, value: JsonValue | undefined): void {
  if (value === undefined && got === undefined) return;
  if (typeof value === 'number' && got !== undefined && got !== '' && Number(got) === value) return;
  requireSame(header, got, typeof value === 'string' || typeof value === 'boolean' ? String(value) : undefined);
}

function requireSame(header: string, got: string | undefined, expected: string | undefined): void {
  if (got === undefined) throw mismatch(`${header} is missing`);
  if (got !== expected) throw mismatch(`${header} is not what the body says`);
}

const ENCODED = /^=\?base64\?(.*)\?=$/s;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const PLAIN = /^[\t\x20-\x7e]*$/;

function decode(header: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = ENCODED.exec(value)?.[1];
  if (text === undefined) {
    if (!PLAIN.test(value)) throw mismatch(`${header} has characters that no header may have`);
    return value;
  }
  const bytes = Buffer.from(text, 'base64');
  if (!BASE64.test(text) || !isUtf8(bytes)) throw mismatch(`${header} is no base 64 of UTF-8`);
  return bytes.toString('utf8');
}

function mismatch(why: string): McpError {
  return new McpError(HEADER_MISMATCH, `Cannot answer the request: header ${why}`);
}
