/** Where somebody wants to be after signing in: a path of ours, and never an address that leads elsewhere. */
import { Fault } from '@warren/protocol';

const LENGTH_MAX = 1_024;
/** What browsers drop or turn into slashes is not in it. */
const PATH = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/;

export function checkReturnTo(text: string, origin: string): string {
  if (text.length <= LENGTH_MAX && PATH.test(text) && URL.parse(text, origin)?.origin === origin) return text;
  throw new Fault('invalid_argument', 'Cannot sign in: return_to is not a path of ours', { details: { field: 'return_to' } });
}

/**
 * A page that goes there by itself. A redirect would still count as coming from the provider, and browsers would send no cookie of the session along; a page
 * of ours that leads on does not.
 */
export function returnPage(path: string): string {
  const target = path
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll("'", '&#39;');
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${target}"><title>Signed in</title><p>Signed in: <a href="${target}">go on</a></p>\n`;
}
