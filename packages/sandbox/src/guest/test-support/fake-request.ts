/** Test support: reads requests the way pid 1 does, strictly. */
import { FRAME } from '../frame-types.ts';

const VALUES: Readonly<Record<string, number>> = {
  '--cwd': 1, '--env': 1, '--uid': 1, '--gid': 1, '--pty': 2, '--rlimit': 3, '--stdin': 0, '--window': 1, '--umask': 1, '--end-tree': 0,
  '--path': 1, '--mode': 1, '--offset': 1, '--length': 1, '--append': 0, '--exclusive': 0, '--follow': 0, '--recursive': 0, '--parents': 0,
}; // biome-ignore format: a table

export type FakeRequest = {
  readonly argv: readonly string[];
  /** Values by flag, in order; a flag that was not given has none. */
  readonly flags: ReadonlyMap<string, readonly (readonly string[])[]>;
};

/** Throws a plain error for what the real guest refuses. */
export function parseFakeRequest(type: number, payload: Buffer): FakeRequest {
  const words = payload.toString('utf8').split('\0');
  if (words.pop() !== '') throw new Error('The request does not end in NUL');
  const flags = new Map<string, string[][]>();
  let at = 0;
  for (; at < words.length; at++) {
    const flag = words[at] as string; // at < length
    if (flag === '--' && type === FRAME.EXEC) break;
    const count = VALUES[flag];
    if (count === undefined || at + count >= words.length) throw new Error(`Cannot parse the flag ${flag}`);
    const list = flags.get(flag) ?? [];
    list.push(words.slice(at + 1, at + 1 + count));
    flags.set(flag, list);
    at += count;
  }
  const argv = words.slice(at + 1);
  if (type === FRAME.EXEC ? argv.length === 0 : !flags.has('--path')) throw new Error('The request lacks its argv or its path');
  return { argv, flags };
}

/** The first value of a flag that is given once. */
export function flagValue(request: FakeRequest, flag: string): string | undefined {
  return request.flags.get(flag)?.[0]?.[0];
}
