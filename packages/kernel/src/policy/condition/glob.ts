import { fitsPattern, fitsWildcard } from './wildcard.ts';

/** Paths by pattern: `*` within a name, `**` in place of any number of names. */
export type Glob = {
  readonly names: readonly string[];
  /** Every path that fits is this one or below it. */
  readonly under: string;
};

export function readGlob(text: string): Glob {
  const names = namesOf(text);
  const wildAt = names.findIndex((name) => name.includes('*'));
  return { names, under: `/${names.slice(0, wildAt === -1 ? names.length : wildAt).join('/')}` };
}

export function fitsGlob({ names }: Glob, path: string): boolean {
  return fitsPattern(names, namesOf(path), isAnyNumber, fitsName);
}

function namesOf(path: string): readonly string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

function isAnyNumber(name: string): boolean {
  return name === '**';
}

function fitsName(pattern: string, name: string): boolean {
  return pattern === name || (pattern.includes('*') && fitsWildcard(pattern, name));
}
