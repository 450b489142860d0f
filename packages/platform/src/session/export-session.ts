/** A session to be read elsewhere. What was said may be anything: in HTML it is text, and in Markdown it stands in fences that it cannot end. */
import type { SessionEntry } from './sessions.ts';
import { textOf } from './text-of.ts';
import { type Transcript, writeEntry, writeHeader } from './transcript.ts';

const STYLE = 'body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}article{border-left:4px solid #999;padding:.25rem 1rem;margin:1rem 0}.user{border-color:#2b6cb0}.assistant{border-color:#2f855a}.summary{border-color:#b7791f}pre{white-space:pre-wrap;overflow-wrap:anywhere}time{color:#666;font-size:.8rem}'; // biome-ignore format: one line

export function exportSession(
  { header, entries }: Transcript,
  path: readonly SessionEntry[],
  format: 'jsonl' | 'markdown' | 'html',
): string {
  switch (format) {
    case 'jsonl':
      return Buffer.concat([writeHeader(header), ...entries.map(writeEntry)]).toString('utf8');
    case 'markdown':
      return [`# Session ${header.id}`, ...path.map((entry) => `## ${headingOf(entry)}\n\n${fence(textOf(entry))}`)]
        .join('\n\n')
        .concat('\n');
    case 'html':
      return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Session ${escapeHtml(header.id)}</title><style>${STYLE}</style></head><body><h1>Session ${escapeHtml(header.id)}</h1>\n${path.map(articleOf).join('\n')}\n</body></html>\n`;
    default:
      return format satisfies never;
  }
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
