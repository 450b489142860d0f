/**
 * One exact piece of text instead of another. Two ways to find it, in this order: the very bytes, and, where line ends are all alike, whole lines that are the same but for blanks at their
 * ends. There is nothing fuzzier on purpose: a change in the wrong place is worse than none. Pure.
 */

export const EXACT_EDIT_LIMITS = {
  fileBytesMax: 16_777_216,
  editsMax: 50,
  allCharactersMin: 3,
  sitesMax: 1_000,
  linesListedMax: 20,
} as const;

export type Edit = { readonly old_string: string; readonly new_string: string; readonly replace_all?: boolean };
export type Refusal =
  | { readonly kind: 'parse_error'; readonly hint: string }
  | { readonly kind: 'no_match'; readonly hint: string }
  | { readonly kind: 'ambiguous_match'; readonly count: number; readonly lines: readonly number[]; readonly hint: string };
export type EditResult =
  | {
      readonly kind: 'applied';
      readonly text: string;
      readonly replacements: number;
      readonly tier: 1 | 2;
      readonly linesAdded: number;
      readonly linesRemoved: number;
    }
  | (Refusal & { readonly index: number });

/** A half-open range of the text. */
type Site = { readonly start: number; readonly end: number };

/** One after the other over one text; all or nothing. */
export function applyEdits(text: string, edits: readonly Edit[]): EditResult {
  let current = text;
  let written: readonly Site[] = [];
  const sums = { replacements: 0, linesAdded: 0, linesRemoved: 0 };
  let tier: 1 | 2 = 1;
  for (const [index, edit] of edits.entries()) {
    const found = find(current, edit, written);
    if ('kind' in found) return { ...found, index };
    tier = found.tier === 2 ? 2 : tier;
    for (const site of found.sites) {
      const { added, removed } = lineChanges(current.slice(site.start, site.end), found.replacement);
      sums.linesAdded += added;
      sums.linesRemoved += removed;
    }
    sums.replacements += found.sites.length;
    ({ text: current, written } = replace(current, found.sites, found.replacement, written));
  }
  return { kind: 'applied', text: current, tier, ...sums };
}

type Found = { readonly sites: readonly Site[]; readonly replacement: string; readonly tier: 1 | 2 };

function find(text: string, edit: Edit, written: readonly Site[]): Found | Refusal {
  const isAll = edit.replace_all === true;
  if (edit.old_string === '') return { kind: 'parse_error', hint: 'old_string is empty' };
  if (edit.old_string === edit.new_string) return { kind: 'parse_error', hint: 'old_string and new_string are the same' };
  if (isAll && edit.old_string.length < EXACT_EDIT_LIMITS.allCharactersMin) {
    return { kind: 'parse_error', hint: `replace_all needs an old_string of at least ${EXACT_EDIT_LIMITS.allCharactersMin} characters` };
  }
  const ends = lineEndsOf(text);
  const adapt = (string: string): string => (ends === 'crlf' ? string.replace(/(?<!\r)\n/g, '\r\n') : string);
  const old = adapt(edit.old_string);
  const replacement = adapt(edit.new_string);
  const exact = exactSites(text, old);
  const tier = exact.length > 0 ? 1 : 2;
  const all = exact.length > 0 ? exact : ends === 'mixed' ? [] : lineSites(text, old);
  if (all.length === 0) return { kind: 'no_match', hint: 'old_string is not in the file; read the part again and copy it with its blanks' };
  if (!isAll && all.length > 1) {
    const lines = all.slice(0, EXACT_EDIT_LIMITS.linesListedMax).map(({ start }) => lineAt(text, start));
    return {
      kind: 'ambiguous_match',
      count: all.length,
      lines,
      hint: 'old_string is there more than once; add lines around it, or use replace_all',
    };
  }
  if (all.length > EXACT_EDIT_LIMITS.sitesMax)
    return { kind: 'parse_error', hint: `there are more than ${EXACT_EDIT_LIMITS.sitesMax} places` };
  const sites = withoutOverlaps(all);
  if (sites.some((site) => written.some((range) => site.start < range.end && site.end > range.start))) {
    return { kind: 'parse_error', hint: 'old_string matches text that an earlier edit of this call wrote; make one edit of the two' };
  }
  return { sites, replacement, tier };
}

/** Overlapping ones too: whether it is ambiguous is not a question of which of them would be taken. */
function exactSites(text: string, old: string): readonly Site[] {
  const sites: Site[] = [];
  for (let at = text.indexOf(old); at >= 0 && sites.length <= EXACT_EDIT_LIMITS.sitesMax; at = text.indexOf(old, at + 1)) {
    sites.push({ start: at, end: at + old.length });
  }
  return sites;
}

function lineSites(text: string, old: string): readonly Site[] {
  const wanted = old.split('\n').map((line) => line.trim());
  const takesEnd = wanted.length > 1 && wanted.at(-1) === '' && old.endsWith('\n');
  if (takesEnd) wanted.pop();
  if (wanted.every((line) => line === '')) return [];
  const lines = text.split('\n');
  const trimmed = lines.map((line) => line.trim());
  const starts: number[] = [];
  let at = 0;
  for (const line of lines) {
    starts.push(at);
    at += line.length + 1;
  }
  const sites: Site[] = [];
  for (let first = 0; first + wanted.length <= lines.length && sites.length <= EXACT_EDIT_LIMITS.sitesMax; first++) {
    if (!wanted.every((line, index) => trimmed[first + index] === line)) continue;
    const last = first + wanted.length - 1;
    const lastLine = lines[last] ?? '';
    const lastEnd = (starts[last] ?? 0) + lastLine.length;
    const end = takesEnd ? Math.min(text.length, lastEnd + 1) : lastEnd - (lastLine.endsWith('\r') ? 1 : 0);
    sites.push({ start: starts[first] ?? 0, end });
  }
  return sites;
}

function withoutOverlaps(sites: readonly Site[]): readonly Site[] {
  const kept: Site[] = [];
  for (const site of sites) if (site.start >= (kept.at(-1)?.end ?? 0)) kept.push(site);
  return kept;
}

function replace(
  text: string,
  sites: readonly Site[],
  replacement: string,
  written: readonly Site[],
): { readonly text: string; readonly written: readonly Site[] } {
  const parts: string[] = [];
  const made: Site[] = [];
  let from = 0;
  let shift = 0;
  for (const { start, end } of sites) {
    parts.push(text.slice(from, start), replacement);
    made.push({ start: start + shift, end: start + shift + replacement.length });
    shift += replacement.length - (end - start);
    from = end;
  }
  parts.push(text.slice(from));
  const move = ({ start, end }: Site): Site => {
    const by = sites.filter((site) => site.end <= start).reduce((sum, site) => sum + replacement.length - (site.end - site.start), 0);
    return { start: start + by, end: end + by };
  };
  return { text: parts.join(''), written: [...written.map(move), ...made] };
}

function lineEndsOf(text: string): 'lf' | 'crlf' | 'mixed' {
  const all = text.match(/\r?\n/g) ?? [];
  const long = all.filter((end) => end === '\r\n').length;
  if (long === 0) return 'lf';
  return long === all.length ? 'crlf' : 'mixed';
}

function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Lines that differ, those that are the same at both ends left out. */
function lineChanges(before: string, after: string): { readonly added: number; readonly removed: number } {
  const old = linesOf(before);
  const fresh = linesOf(after);
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++;
  let end = 0;
  while (end < old.length - start && end < fresh.length - start && old[old.length - 1 - end] === fresh[fresh.length - 1 - end]) end++;
  return { added: fresh.length - start - end, removed: old.length - start - end };
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
