/** Where a clone, pull or push goes: a web address, reached through the host, or a directory of the workspace. */
import { posix } from 'node:path';
import { CapabilityError } from '../../../capability/handler.ts';
import { WORKSPACE } from '../names.ts';

export type RemoteTarget =
  | { readonly kind: 'web' /** Without a slash at the end. */; readonly url: string; readonly host: string }
  | { readonly kind: 'directory'; readonly path: string };

const URL_LENGTH_MAX = 2_048;

/** Throws `InvalidUrl` for anything else, as `ssh://`, `ext::`, `host:path`, and for credentials in a URL: they would be kept in the repository's configuration. */
export function remoteTarget(text: string, base: string): RemoteTarget {
  if (text.length > URL_LENGTH_MAX || /[\0-\x20\x7f]/.test(text))
    throw refuse(text, 'it is too long or holds spaces or control characters');
  if (/^https?:\/\//i.test(text)) return webTarget(text);
  if (/^file:\/\//i.test(text)) return directoryTarget(decode(text.slice('file://'.length)), text);
  if (/^[^/]*::/.test(text) || /^[^/]*:/.test(text) || text.startsWith('-'))
    throw refuse(text, 'only http, https and directories of the workspace are possible');
  return directoryTarget(posix.resolve(base, text), text);
}

function webTarget(text: string): RemoteTarget {
  const url = URL.parse(text);
  if (url === null) throw refuse(text, 'it is no URL');
  if (url.username !== '' || url.password !== '') throw refuse(`${url.protocol}//…@${url.host}`, 'it holds credentials');
  if (url.search !== '' || url.hash !== '') throw refuse(text, 'it has a query or a fragment');
  return { kind: 'web', url: `${url.origin}${url.pathname}`.replace(/\/+$/, ''), host: url.host };
}

function directoryTarget(path: string, shown: string): RemoteTarget {
  const resolved = posix.resolve('/', path);
  if (resolved.startsWith(`${WORKSPACE}/`)) return { kind: 'directory', path: resolved };
  throw refuse(shown, `directories have to be below ${WORKSPACE}`);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function refuse(text: string, why: string): CapabilityError {
  return new CapabilityError('InvalidUrl', `Cannot use ${JSON.stringify(text.slice(0, 200))} as a repository: ${why}`);
}
