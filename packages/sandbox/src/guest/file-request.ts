/** READ, WRITE, LIST, STAT, REMOVE and MKDIR. */
import { FRAME } from './frame-types.ts';
import { RequestText, type User } from './request-text.ts';

/** Permission bits and the sticky bit; the guest does not set set-user-id bits. */
export const MODE_MAX = 0o1777;

export type FileRequest =
  | { readonly kind: 'read'; readonly path: string; readonly offset?: number | undefined; readonly length?: number | undefined }
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly mode: number;
      readonly append?: boolean | undefined;
      readonly exclusive?: boolean | undefined;
    }
  | { readonly kind: 'list'; readonly path: string }
  | { readonly kind: 'stat'; readonly path: string; readonly follow?: boolean | undefined }
  | { readonly kind: 'remove'; readonly path: string; readonly recursive?: boolean | undefined }
  | { readonly kind: 'mkdir'; readonly path: string; readonly mode: number; readonly parents?: boolean | undefined };

/** "Cannot …" in the faults of each operation. */
const ACTIONS = {
  read: 'read',
  write: 'write',
  list: 'list',
  stat: 'look at',
  remove: 'remove',
  mkdir: 'make the directory',
} as const satisfies Record<FileRequest['kind'], string>;

const PATH_QUOTED_MAX = 200;

/** What a fault about this request says it could not do: `write "/a/b"`. */
export function fileAction(request: FileRequest): string {
  const { path } = request;
  return `${ACTIONS[request.kind]} ${JSON.stringify(path.length > PATH_QUOTED_MAX ? `${path.slice(0, PATH_QUOTED_MAX)}…` : path)}`;
}

/** The frame of a file request, still without its channel. Throws `invalid_argument` and `too_large`. */
export function encodeFileRequest(request: FileRequest, user?: User | undefined): Buffer {
  const text = new RequestText(fileAction(request));
  if (request.path === '') throw text.refuse('the path is empty');
  text.add('--path').addText(request.path, 'the path').addUser(user);
  switch (request.kind) {
    case 'read':
      if (request.offset !== undefined) text.addFlag('--offset', text.checkInteger(request.offset, 'offset', 0, Number.MAX_SAFE_INTEGER));
      if (request.length !== undefined) text.addFlag('--length', text.checkInteger(request.length, 'length', 0, Number.MAX_SAFE_INTEGER));
      return text.encode(FRAME.READ);
    case 'write':
      addMode(text, request.mode);
      if (request.append === true) text.add('--append');
      if (request.exclusive === true) text.add('--exclusive');
      return text.encode(FRAME.WRITE);
    case 'list':
      return text.encode(FRAME.LIST);
    case 'stat':
      if (request.follow === true) text.add('--follow');
      return text.encode(FRAME.STAT);
    case 'remove':
      if (request.recursive === true) text.add('--recursive');
      return text.encode(FRAME.REMOVE);
    case 'mkdir':
      addMode(text, request.mode);
      if (request.parents === true) text.add('--parents');
      return text.encode(FRAME.MKDIR);
    default:
      return request satisfies never;
  }
}

function addMode(text: RequestText, mode: number): void {
  text.addFlag('--mode', text.checkInteger(mode, 'mode', 0, MODE_MAX).toString(8));
}
