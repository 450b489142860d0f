/** A session to be read elsewhere, a piece at a time. What was said may be anything: in HTML it is text, and in Markdown it stands in fences that it cannot end. */
import { Fault } from '@warren/protocol';
import type { FileSession } from './open-session.ts';
import type { ExportFormat, ExportPiece, SessionEntry } from './sessions.ts';
import { textOf } from './text-of.ts';
import { writeEntry, writeHeader } from './transcript.ts';

const STYLE = 'body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}article{border-left:4px solid #999;padding:.25rem 1rem;margin:1rem 0}.user{border-color:#2b6cb0}.assistant{border-color:#2f855a}.summary{border-color:#b7791f}pre{white-space:pre-wrap;overflow-wrap:anywhere}time{color:#666;font-size:.8rem}'; // biome-ignore format: one line

/** Of one piece. */
const CHARACTERS_MAX = 1_048_576;

/** Where a piece begins: the tip that the document leads to, which part of it, and how far into that. */
type Place = { readonly tip: string; readonly part: number; readonly character: number };

/** `cursor`: `next` of the piece before; what is written to the session meanwhile changes nothing of the document. Throws `invalid_argument`. */
export function exportPiece(session: FileSession, format: ExportFormat, cursor: string | undefined): ExportPiece {
  const { tip, part: first, character } = cursor === undefined ? { tip: session.tip ?? '', part: 0, character: 0 } : readCursor(cursor);
  if (tip !== '' && !session.has(tip)) throw refuseCursor();
  const entries = format === 'jsonl' ? session.written() : tip === '' ? [] : session.path(tip);
  const partOf = partsOf(session, format, entries);
  let text = '';
  for (let part = first, from = character; part < entries.length + 2; part++, from = 0) {
    const rest = partOf(part).slice(from);
    const room = CHARACTERS_MAX - text.length;
    if (rest.length > room) {
      const taken = isHighSurrogate(rest.charCodeAt(room - 1)) ? room - 1 : room;
      return { text: text + rest.slice(0, taken), next: `${part}.${from + taken}.${tip}` };
    }
    text += rest;
  }
  return { text, next: undefined };
}

/** What stands before the entries is the first part, what stands after them the last. */
function partsOf(session: FileSession, format: ExportFormat, entries: readonly SessionEntry[]): (part: number) => string {
  const { id } = session;
  const [before, after, each] = ((): readonly [string, string, (entry: SessionEntry) => string] => {
    switch (format) {
      case 'jsonl':
        return [writeHeader(session.header).toString('utf8'), '', (entry) => writeEntry(entry).toString('utf8')];
      case 'markdown':
        return [`# Session ${id}`, '\n', (entry) => `\n\n## ${headingOf(entry)}\n\n${fence(textOf(entry))}`];
      case 'html':
        return [
          `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Session ${escapeHtml(id)}</title><style>${STYLE}</style></head><body><h1>Session ${escapeHtml(id)}</h1>\n`,
          '</body></html>\n',
          (entry) => `${articleOf(entry)}\n`,
        ];
      default:
        return format satisfies never;
    }
  })();
  return (part) => {
    const entry = entries[part - 1];
    return part === 0 ? before : entry === undefined ? after : each(entry);
  };
}

function readCursor(cursor: string): Place {
  const [, part, character, tip] = /^(\d{1,9})\.(\d{1,9})\.(.{0,128})$/s.exec(cursor) ?? [];
  if (tip === undefined) throw refuseCursor();
  return { tip, part: Number(part), character: Number(character) };
}

function refuseCursor(): Fault {
  return new Fault('invalid_argument', 'Cannot export from this cursor: it is none that was given for this session', {
    details: { field: 'cursor' },
  });
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd8_00 && code <= 0xdb_ff;
}

function headingOf(entry: SessionEntry): string {
  const who =
    entry.type === 'message' ? entry.role : entry.type === 'note' ? `note: ${entry.kind.replaceAll(/[^\w .:-]/g, '_')}` : entry.type;
  return `${who}, ${new Date(entry.at).toISOString()}`;
}

/** Longer than any run of backticks in it. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const marks = '`'.repeat(longest + 1);
  return `${marks}text\n${text}\n${marks}`;
}

function articleOf(entry: SessionEntry): string {
  const kind = entry.type === 'message' ? entry.role : entry.type;
  return `<article class="${escapeHtml(kind)}"><strong>${escapeHtml(kind)}</strong> <time>${new Date(entry.at).toISOString()}</time><pre>${escapeHtml(textOf(entry))}</pre></article>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"'\0]/g, (character) => (character === '\0' ? '\ufffd' : `&#${character.charCodeAt(0)};`));
}
