import type { IncomingMessage } from 'node:http';

/** The path as it was sent, nothing in it decoded or shortened: what is not exactly a path of ours is none. */
export function readTarget({ url = '' }: IncomingMessage): { readonly path: string; readonly query: string } {
  const mark = url.indexOf('?');
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}
