import { Fault } from '@warren/protocol';

export type EventQuery = {
  readonly workspace: string | undefined;
  readonly pid: number | undefined;
  readonly kind: string | undefined;
  readonly after: number | undefined;
  readonly gaps: 'tell' | 'refuse' | 'skip';
};

const KIND_CHARACTERS_MAX = 4_096;

/** `lastEventId` wins: a browser that connects again sends the same address and that header. Throws `invalid_argument` with the field. */
export function readEventQuery(search: URLSearchParams, lastEventId: string | undefined): EventQuery {
  const kind = search.get('kind') ?? undefined;
  if (kind !== undefined && kind.length > KIND_CHARACTERS_MAX) throw invalid('kind', 'is too long');
  const gaps = search.get('gaps') ?? 'tell';
  if (gaps !== 'tell' && gaps !== 'refuse' && gaps !== 'skip') throw invalid('gaps', 'is none of tell, refuse, skip');
  return {
    workspace: search.get('workspace') ?? undefined,
    pid: readNumber('pid', search.get('pid')),
    kind,
    after:
      readNumber('last-event-id', lastEventId === '' ? undefined : lastEventId) ??
      readNumber('after', search.get('after')) ??
      readNumber('since', search.get('since')),
    gaps,
  };
}

function readNumber(field: string, text: string | null | undefined): number | undefined {
  if (text === null || text === undefined) return undefined;
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw invalid(field, 'is not a whole number');
  return number;
}

function invalid(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot follow events: "${field}" ${why}`, { details: { field } });
}
