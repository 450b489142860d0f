import { Fault } from '@warren/protocol';

/** Throws `invalid_argument` for what is no plain http or https URL. */
export function readAddress(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.search === '' && url.hash === '') return url;
  throw new Fault('invalid_argument', `Cannot use ${JSON.stringify(text)} as an address: it is not a plain http or https URL`, {
    details: { field: 'url' },
  });
}
