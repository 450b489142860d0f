import { Fault, SUPERVISION_TYPES, type SupervisionEvent, type SupervisionType } from '@warren/protocol';
import { type Cursor, parseCursor } from './cursor.ts';

export type SupervisionQuery = {
  readonly workspace: string | undefined;
  readonly after: Cursor | undefined;
  readonly wants: (event: SupervisionEvent) => boolean;
};

const WORD_CHARACTERS_MAX = 256;
/** As `sessionId` makes them. */
const SESSION_ID = /^sess-[1-9]\d{0,15}$/;

/** Whether the stream of the kernel's events is meant, or this one. Throws `invalid_argument`. */
export function isSupervision(search: URLSearchParams): boolean {
  const view = search.get('view') ?? 'kernel';
  if (view !== 'kernel' && view !== 'supervision') throw invalid('view', 'is none of kernel, supervision');
  return view === 'supervision';
}

/** `types`: several keys, or one with commas. `lastEventId` wins over `after`. Throws `invalid_argument` with the field. */
export function readSupervisionQuery(search: URLSearchParams, lastEventId: string | undefined): SupervisionQuery {
  const [agent, session] = [wordOf(search, 'agent'), wordOf(search, 'session')];
  if (session !== undefined && !SESSION_ID.test(session)) throw invalid('session', 'is none: the session of process 7 is sess-7');
  const types = new Set(search.getAll('types').flatMap((text) => text.split(',')));
  for (const type of types) {
    if (!(SUPERVISION_TYPES as readonly string[]).includes(type))
      throw invalid('types', `has one that is none of ${SUPERVISION_TYPES.join(', ')}`);
  }
  const after = search.get('after') ?? undefined;
  return {
    workspace: search.get('workspace') ?? undefined,
    after:
      lastEventId !== undefined && lastEventId !== ''
        ? parseCursor('last-event-id', lastEventId)
        : after === undefined
          ? undefined
          : parseCursor('after', after),
    wants: (event) =>
      (agent === undefined || event.agent === agent) &&
      (session === undefined || event.session_id === session) &&
      (types.size === 0 || types.has(event.type as SupervisionType)),
  };
}

function wordOf(search: URLSearchParams, field: string): string | undefined {
  const text = search.get(field) ?? undefined;
  if (text !== undefined && text.length > WORD_CHARACTERS_MAX) throw invalid(field, 'is too long');
  return text;
}

function invalid(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot follow events: "${field}" ${why}`, { details: { field } });
}
