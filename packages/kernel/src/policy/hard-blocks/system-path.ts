import { fitsPattern } from '../condition/wildcard.ts';
import { UNKNOWN_TEXT } from './unknown-text.ts';

/** Directories of the system that no agent writes to; with all that begin with `lib`. */
const SYSTEM = ['etc', 'usr', 'bin', 'sbin', 'boot', 'dev', 'proc', 'sys', 'run', 'root', 'var'];
const LIBRARIES = ['lib', 'lib32', 'lib64', 'libx32'];
/** Whose loss is that of the machine, besides those. */
const PRECIOUS = [...SYSTEM, ...LIBRARIES, 'home', 'opt', 'srv', 'mnt', 'media'];
/** Where everything below is as precious. */
const WHOLE = ['etc', 'bin', 'sbin', 'boot', 'proc', 'sys', ...LIBRARIES];
const WITHIN: Readonly<Record<string, readonly string[]>> = {
  usr: ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libexec', 'share', 'include', 'local', 'src'],
  var: ['lib', 'spool', 'mail'],
};
const DISK = /^(?:[shv]d[a-z]|xvd[a-z]|nvme\d|mmcblk\d|dm-\d|md\d|loop\d|ram\d|nbd\d|sr\d|zram\d|pmem\d|k?mem$|port$|disk$|mapper$|block$)/;
const DISKS = [
  'sda',
  'sda1',
  'sdb',
  'hda',
  'vda',
  'vda1',
  'xvda',
  'nvme0n1',
  'nvme0n1p1',
  'mmcblk0',
  'dm-0',
  'md0',
  'loop0',
  'mem',
  'kmem',
  'disk',
  'mapper',
];

/** Longer than any name that a person would write a pattern for: may stand for everything. */
const PATTERN_MAX = 1_024;

/** Of a canonical path: whether it is the root, or a directory of the system or below one. */
export function isSystemPath(path: string): boolean {
  const end = path.indexOf('/', 1);
  const name = path.slice(1, end === -1 ? undefined : end);
  return name === '' || SYSTEM.includes(name) || name.startsWith('lib');
}

/** Whether a word of a command, with patterns and places that are not known, may stand for the root or a directory without which the machine is lost. */
export function isPreciousTree(word: string, directory: string | undefined): boolean {
  const path = absolute(word, directory);
  if (path === undefined) return false;
  if (path.includes(UNKNOWN_TEXT) && isRoot(namesIn(path.replaceAll(UNKNOWN_TEXT, '')))) return true;
  const names = namesIn(path);
  return isRoot(names) || isPrecious(names) || (names.length > 1 && isEverything(names.at(-1) ?? '') && isPrecious(names.slice(0, -1)));
}

/** Whether a word of a command may name a disk, or memory. */
export function isRawDevice(word: string, directory: string | undefined): boolean {
  const path = absolute(word, directory);
  const [root = '', device] = path === undefined ? [] : namesIn(path);
  if (device === undefined || !fits(root, 'dev')) return false;
  return isPattern(device) ? DISKS.some((disk) => fits(device, disk)) : DISK.test(device);
}

/** Whether a name with wildcards, or with parts that are not known, may be this one. */
export function fits(pattern: string, name: string): boolean {
  if (!isPattern(pattern)) return pattern === name;
  if (pattern.length > PATTERN_MAX) return true;
  const parts = pattern.replaceAll(/\[[^\]]*\]/g, '?').replaceAll(UNKNOWN_TEXT, '*');
  return fitsPattern(
    parts,
    name,
    (part) => part === '*',
    (part, character) => part === '?' || part === character,
  );
}

export function isPattern(name: string): boolean {
  return name.includes(UNKNOWN_TEXT) || /[*?[]/.test(name);
}

function absolute(word: string, directory: string | undefined): string | undefined {
  if (word.startsWith('/')) return word;
  if (/^~root(?:\/|$)/.test(word)) return `/root${word.slice(5)}`;
  return directory === undefined || word.startsWith('~') ? undefined : `${directory}/${word}`;
}

function namesIn(path: string): readonly string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names;
}

function isRoot(names: readonly string[]): boolean {
  return names.length === 0 || (names.length === 1 && isEverything(names[0] ?? ''));
}

function isPrecious([root = '', below, ...rest]: readonly string[]): boolean {
  if (below === undefined) return root !== UNKNOWN_TEXT && PRECIOUS.some((name) => fits(root, name));
  if (WHOLE.some((name) => fits(root, name) && !isPattern(root))) return true;
  if (root === 'dev') return below !== 'shm';
  return rest.length === 0 && below !== UNKNOWN_TEXT && (WITHIN[root] ?? []).some((name) => fits(below, name));
}

/** `*`, `.*`, `?*` and the like. */
function isEverything(name: string): boolean {
  return name.includes('*') && /^[*?.]+$/.test(name);
}
