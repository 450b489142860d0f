/** Files of an agent's workspace as resources. Every look at them is a call of a capability, decided, granted and recorded as any other. */
import type { Answer } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { isObject } from '../../internal/is-object.ts';
import { toCallError } from '../../operations/record/call.ts';
import { invalidParams, McpError, SERVER_ERROR } from '../engine/mcp-error.ts';
import type { HostRequest, McpResources, Outcome, Page } from '../host.ts';
import type { Held } from './held-call.ts';

const ROOT = 'file:///workspace/';
/** Files that are listed at all; who knows of others may read them. */
const FILES_MAX = 10_000;
const PAGE = 500;
/** In base 64 and JSON still less than an answer may have. */
const FILE_BYTES_MAX = 524_288;

export type CallCapability = (capability: string, input: JsonObject, request: HostRequest) => Promise<Held>;
/** For a call that nobody waits for: one that would need approval is withdrawn. */
export type CallNow = (capability: string, input: JsonObject, signal: AbortSignal) => Promise<Answer>;

export function createWorkspaceFiles(call: CallCapability, callNow: CallNow): McpResources {
  return {
    canSubscribe: false,
    tellsOfList: false,

    async list(cursor, signal) {
      const answer = await callNow('filesystem.search', { path: '/workspace', pattern: '**', max_results: FILES_MAX }, signal);
      // Who may not look sees nothing.
      if (answer.kind !== 'done') return { items: [] };
      return pageOf(filesOf(answer.output), cursor);
    },

    async listTemplates(cursor): Promise<Page> {
      if (cursor !== undefined) throw invalidCursor();
      return { items: [TEMPLATE] };
    },

    async read(uri, request) {
      const path = pathOf(uri);
      const { state } = request;
      // What it waits for is the call it made; that one says how it reads.
      const isBinary = isObject(state) && state['encoding'] === 'binary';
      const read = await readFile(path, isBinary ? 'binary' : 'utf-8', uri, call, request);
      if (read !== 'not text') return read;
      const again = await readFile(path, 'binary', uri, call, { ...request, state: undefined, answers: undefined });
      if (again === 'not text') throw new McpError(SERVER_ERROR, `Cannot read ${uri}: it is neither text nor bytes`);
      return again;
    },
  };
}

const TEMPLATE: JsonObject = {
  uriTemplate: `${ROOT}{+path}`,
  name: 'workspace-file',
  title: 'File of the workspace',
  description: 'A file of the workspace, by its path below /workspace',
};

async function readFile(
  path: string,
  encoding: 'utf-8' | 'binary',
  uri: string,
  call: CallCapability,
  request: HostRequest,
): Promise<Outcome | 'not text'> {
  const held = await call('filesystem.read', { path, encoding, limit: FILE_BYTES_MAX }, request);
  if (held.kind === 'ask') return isObject(held.state) ? { ...held, state: { ...held.state, encoding } } : held;
  const { answer } = held;
  if (answer.kind === 'failed' && answer.error.type === 'EncodingError' && encoding === 'utf-8') return 'not text';
  if (answer.kind !== 'done') throw refusedRead(answer, uri);
  const { content, truncated } = answer.output;
  if (truncated === true) {
    throw new McpError(
      SERVER_ERROR,
      `Cannot read ${uri}: it is larger than ${FILE_BYTES_MAX} bytes; the tool filesystem__read reads it in parts`,
      {
        fault: 'too_large',
      },
    );
  }
  const body =
    encoding === 'binary' ? { mimeType: 'application/octet-stream', blob: content ?? '' } : { mimeType: typeOf(path), text: content ?? '' };
  return { kind: 'done', result: { contents: [{ uri, ...body }] } };
}

function refusedRead(answer: Exclude<Answer, { readonly kind: 'done' }>, uri: string): McpError {
  if (answer.kind === 'pending') {
    return new McpError(SERVER_ERROR, `Cannot read ${uri} yet: a person has to approve it: warren approvals approve ${answer.approvalId}`, {
      type: 'ApprovalPending',
      call_id: answer.callId,
    });
  }
  if (answer.error.type === 'FileNotFound') return invalidParams(`Cannot read ${uri}: there is no such file`, { uri });
  return new McpError(SERVER_ERROR, answer.error.message, toCallError(answer.error));
}

/** Throws `McpError`. What is no file of the workspace is not there; whether a path leaves it by other ways the capability finds out. */
function pathOf(uri: string): string {
  const url = URL.parse(uri);
  if (url?.protocol !== 'file:' || url.host !== '' || !uri.startsWith(ROOT)) {
    throw invalidParams(`Cannot read ${JSON.stringify(uri.slice(0, 200))}: resources here begin with ${ROOT}`, {
      uri: uri.slice(0, 1_000),
    });
  }
  try {
    return decodeURIComponent(uri.slice('file://'.length));
  } catch {
    throw invalidParams(`Cannot read ${JSON.stringify(uri.slice(0, 200))}: it is not encoded as addresses are`, {
      uri: uri.slice(0, 1_000),
    });
  }
}

type File = { readonly path: string; readonly size: number };

function filesOf({ matches }: JsonObject): readonly File[] {
  if (!Array.isArray(matches)) return [];
  return matches
    .flatMap((match: unknown): readonly File[] => {
      if (!isObject(match) || match['type'] !== 'file' || typeof match['path'] !== 'string') return [];
      return [{ path: match['path'].replace(/^\/workspace\//, ''), size: Number(match['size'] ?? 0) }];
    })
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

function pageOf(files: readonly File[], cursor: string | undefined): Page {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const from = after === undefined ? files : files.filter(({ path }) => path > after);
  const page = from.slice(0, PAGE);
  const last = page.at(-1);
  const items = page.map(({ path, size }) => ({ uri: uriOf(path), name: path, mimeType: typeOf(path), size }));
  return { items, nextCursor: from.length > PAGE && last !== undefined ? Buffer.from(last.path).toString('base64url') : undefined };
}

function readCursor(cursor: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(cursor)) throw invalidCursor();
  return Buffer.from(cursor, 'base64url').toString('utf8');
}

function invalidCursor(): McpError {
  return invalidParams('Cannot list: the cursor is none that was given here');
}

function uriOf(path: string): string {
  return ROOT + path.split('/').map(encodeURIComponent).join('/');
}

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css',
  csv: 'text/csv',
  html: 'text/html',
  js: 'text/javascript',
  json: 'application/json',
  md: 'text/markdown',
  py: 'text/x-python',
  ts: 'text/x-typescript',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
};

function typeOf(path: string): string {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return TYPES[ending] ?? 'text/plain';
}
