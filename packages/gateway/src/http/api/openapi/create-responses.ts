/** What an operation answers when it fails: a problem of RFC 9457 for each status, with the codes that it may have there. */
import { FAULTS, type FaultCode } from '@warren/protocol';
import { PROBLEM_TYPE } from '../problem.ts';

export interface Responses {
  /** References, by status; where a body is read, also what is said of bodies. */
  of(faults: readonly FaultCode[], readsBody: boolean): Readonly<Record<string, { readonly $ref: string }>>;
  all(): Readonly<Record<string, object>>;
  readonly schemas: Readonly<Record<string, object>>;
}

/** What any operation may answer, on top of what it says itself. */
export const ANY_CALL: readonly FaultCode[] = [
  ...(['invalid_argument', 'unauthenticated', 'permission_denied', 'rate_limited', 'busy', 'aborted', 'unsupported', 'internal'] as const),
];

/** Answered before anybody knows what was asked for. */
const TOO_LONG = '431';

const SCHEMA = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'details'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'For people' },
    code: { type: 'string', description: 'For programs: it stays the same', enum: Object.keys(FAULTS) },
    details: { type: 'object', description: 'Facts of the code, for programs' },
  },
  examples: [
    {
      ...{ type: 'urn:warren:fault:unknown_pid', title: 'Unknown pid', status: 404 },
      ...{ detail: 'Cannot find process 7: it does not exist', code: 'unknown_pid', details: { pid: 7 } },
    },
  ],
};

export function createResponses(): Responses {
  const made = new Map<string, object>();
  return {
    of(faults, readsBody) {
      const codes = new Map<number, Set<string>>();
      for (const code of [...faults, ...(readsBody ? (['too_large'] as const) : [])]) {
        const { http } = FAULTS[code];
        codes.set(http, (codes.get(http) ?? new Set()).add(code));
      }
      // Of the content type, which every body has; also one that nobody asked for.
      if (readsBody) codes.set(415, new Set(['invalid_argument']));
      made.set(TOO_LONG, { description: 'The request line and the headers are too long' });
      const named = [...codes].toSorted(([one], [other]) => one - other);
      return Object.fromEntries([
        ...named.map(([status, of]) => [status, { $ref: `#/components/responses/${name(status, [...of].toSorted())}` }] as const),
        ['431', { $ref: `#/components/responses/${TOO_LONG}` }] as const,
      ]);
    },
    all: () => Object.fromEntries([...made].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    schemas: { Problem: SCHEMA },
  };

  function name(status: number, codes: readonly string[]): string {
    const word = [status, ...codes].join('.');
    const schema = { $ref: '#/components/schemas/Problem', properties: { status: { const: status }, code: { enum: codes } } };
    const content = { [PROBLEM_TYPE]: { schema } };
    const headers = status === 429 || status === 503 ? { headers: { 'retry-after': { schema: { type: 'integer' } } } } : {};
    made.set(word, { description: codes.join(', '), ...headers, content });
    return word;
  }
}
