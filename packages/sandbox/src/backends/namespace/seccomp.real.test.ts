/** The seccomp wall where it counts: every system call there is, made by the agent in a complete sandbox of each profile, answered as the rules say. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ProfileName } from '../../contract.ts';
import { encode } from '../../seccomp/bpf.ts';
import { compileProfile } from '../../seccomp/compile.ts';
import { interpret } from '../../seccomp/interpret.ts';
import { PROFILES as FILTERS, type SeccompProfileName } from '../../seccomp/profiles.ts';
import { type Architecture, AUDIT_ARCHITECTURES, architectureOf } from '../../seccomp/syscalls.ts';
import {
  BUILD_FOLDER,
  buildProbe,
  type Call,
  callLines,
  ERRNO_OFFSET,
  everyCall,
  guardedCalls,
  parseSeen,
} from '../../seccomp/test-support/probe.ts';
import { openTestSandboxes, openWeakenedSandboxes } from './open-sandboxes.ts';
import { PROFILES } from './profiles.ts';
import { said, shell, text } from './test-support/words.ts';

const ARCHITECTURE: Architecture = architectureOf(process.arch) ?? 'x86_64';
const AUDIT_ARCH_I386 = 0x40000003;
/** Since 6.18 this one passes every filter; outside of a trampoline of the kernel it does nothing. */
const UPROBE = 336;
/** Near two thousand processes, one after the other. */
const NO_LIMITS = { pids: null, cpus: null, memoryBytes: null } as const;

beforeAll(() => {
  buildProbe();
});

/** A filter's errors are shifted, so that they differ from all of the kernel's own. */
const shifted = (name: SeccompProfileName, architecture: Architecture): Uint8Array =>
  encode(compileProfile(FILTERS[name], architecture, { errnoOffset: ERRNO_OFFSET }));

describe.each(['moderate', 'restrictive', 'permissive'] as const satisfies readonly ProfileName[])('inside a %s sandbox', (profile) => {
  const name = PROFILES[profile].seccomp;

  it(`the kernel answers every call as the ${name} rules say`, { timeout: 180_000 }, async () => {
    const calls = [...everyCall(ARCHITECTURE), ...guardedCalls(ARCHITECTURE)].filter(isFiltered);
    await using sandboxes = await openTestSandboxes({ filter: shifted }, { spares: 0 });
    await using sandbox = await sandboxes.start({ profile, limits: NO_LIMITS, mounts: [{ source: BUILD_FOLDER, target: '/probe' }] });
    const completed = await sandbox.run(['/probe/verdict-probe', '--inherited'], { stdin: callLines(calls) });
    expect(said(completed)).toMatch(/^exited 0/);
    const seen = parseSeen(text(completed.stdout), calls);
    const program = compileProfile(FILTERS[name], ARCHITECTURE, { errnoOffset: ERRNO_OFFSET });
    const differences = calls.flatMap((call, index) => {
      const architecture = call.entry === 'int80' ? AUDIT_ARCH_I386 : AUDIT_ARCHITECTURES[ARCHITECTURE];
      const expected = interpret(program, { number: call.number, architecture, args: call.args });
      const wanted = expected.kind === 'allow' ? 'let through' : expected.kind === 'kill' ? 'killed' : `errno ${expected.errno}`;
      const got = isLetThrough(seen[index] ?? '') ? 'let through' : seen[index];
      return wanted === got ? [] : [`${call.entry} ${call.number}(${call.args.join(', ')}): expected ${wanted}, seen ${seen[index]}`];
    });
    expect(differences).toEqual([]);
    expect(seen.filter((answer) => answer === 'killed').length).toBeGreaterThan(ARCHITECTURE === 'x86_64' ? 500 : 0);
  });

  it('the filter stands before the first command runs, and no command can take it off', async () => {
    await using sandboxes = await openTestSandboxes({}, { spares: 0 });
    await using sandbox = await sandboxes.start({ profile });
    // pid 1 has one; commands may have another on top of it, never one less.
    expect(await shell(sandbox, 'grep -hE "^(Seccomp|NoNewPrivs)" /proc/1/status /proc/self/status')).toMatch(
      /^NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t[12]\n$/,
    );
  });
});

it('a sandbox without the wall is noticed', async () => {
  await using sandboxes = await openWeakenedSandboxes(['seccomp'], { spares: 0 });
  await using sandbox = await sandboxes.start({ limits: NO_LIMITS, mounts: [{ source: BUILD_FOLDER, target: '/probe' }] });
  const calls: readonly Call[] = [{ entry: 'native', number: 600, args: [0, 0, 0, 0, 0, 0] }];
  const { stdout } = await sandbox.run(['/probe/verdict-probe', '--inherited'], { stdin: callLines(calls) });
  expect(parseSeen(text(stdout), calls)).toEqual(['errno 38']);
  expect(await shell(sandbox, 'grep "^Seccomp:" /proc/self/status')).toBe('Seccomp:\t0\n');
});

/** `int80` numbers another table, so only the native number is meant. */
function isFiltered({ entry, number }: Call): boolean {
  return ARCHITECTURE !== 'x86_64' || entry !== 'native' || number !== UPROBE;
}

function isLetThrough(seen: string): boolean {
  return seen !== 'killed' && !(seen.startsWith('errno ') && Number(seen.slice('errno '.length)) >= ERRNO_OFFSET);
}
