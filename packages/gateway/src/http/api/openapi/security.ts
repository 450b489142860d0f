/** How a caller shows who it is. */
import { CSRF_HEADER } from '../../sign-in/csrf.ts';
import { SESSION_COOKIE } from '../../sign-in/session-cookie.ts';

export const SCHEMES = {
  token: { type: 'http', scheme: 'bearer', description: 'A token of `warren token create`, or of `POST /api/session`' },
  session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE, description: 'Of somebody who signed in; over TLS it is `__Host-warren`' },
  csrf: {
    type: 'apiKey',
    in: 'header',
    name: CSRF_HEADER,
    description: 'What `/api/session` says in `csrf`: where a cookie changes something',
  },
} as const;

/** What is good for an operation that only reads, and for any other. */
export const READING = [{ token: [] }, { session: [] }];
export const CHANGING = [{ token: [] }, { session: [], csrf: [] }];
