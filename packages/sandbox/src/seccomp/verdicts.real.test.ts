import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { encode } from './bpf.ts';
import { compileProfile } from './compile.ts';
import { interpret } from './interpret.ts';
import { PROFILES, type SeccompProfileName } from './profiles.ts';
import { type Architecture, AUDIT_ARCHITECTURES, architectureOf, SYSCALLS } from './syscalls.ts';
import {
  askKernel,
  BUILD_FOLDER,
  buildProbe,
  type Call,
  ERRNO_OFFSET,
  everyCall,
  guardedCalls,
  harmlessCall,
} from './test-support/probe.ts';

/** The kernel of this machine, not an interpreter of ours, says what a filter does. */
const ARCHITECTURE: Architecture = thisArchitecture();
const OTHER: Architecture = ARCHITECTURE === 'x86_64' ? 'aarch64' : 'x86_64';
const PROFILE_NAMES = ['default', 'restrictive'] as const;
const AUDIT_ARCH_I386 = 0x40000003;
/** Since 6.18 this one passes every filter; outside of a trampoline of the kernel it does nothing. */
const UPROBE = 336;

let probe = '';

beforeAll(() => {
  probe = buildProbe();
});

// Near two thousand processes: a second or two, and much longer on a busy machine.
describe.each(PROFILE_NAMES)('the kernel under the %s filter', { timeout: 120_000 }, (name) => {
  it('answers every number as verdict() does', () => {
    const calls = everyCall(ARCHITECTURE).filter(isFiltered);
    expect(differences(name, calls, ['--filter', filterFile(name, ARCHITECTURE)])).toEqual([]);
  });

  it('answers calls whose arguments matter as verdict() does', () => {
    expect(differences(name, guardedCalls(ARCHITECTURE), ['--filter', filterFile(name, ARCHITECTURE)])).toEqual([]);
  });

  it('answers the same to a program that inherits the filter', () => {
    const calls = Array.from({ length: 470 }, (_, number) => harmlessCall(ARCHITECTURE, number)).filter(isFiltered);
    expect(differences(name, calls, ['--filter', filterFile(name, ARCHITECTURE), '--', probe, '--inherited'])).toEqual([]);
  });

  it('accepts the filter of the other architecture, which kills every call here', () => {
    const calls = [0, 1, 39, 172].map((number) => harmlessCall(ARCHITECTURE, number));
    expect(askKernel(probe, ['--filter', filterFile(name, OTHER)], calls)).toEqual(calls.map(() => 'killed'));
  });
});

describe('the kernel without a filter', () => {
  it('gives other answers, so that the probe proves something', () => {
    const { socket, socketpair } = SYSCALLS[ARCHITECTURE]; // Unfiltered, asking for a family loads its module into the host's kernel.
    const calls = guardedCalls(ARCHITECTURE).filter(({ number }) => number !== socket && number !== socketpair);
    expect(differences('default', calls, ['--inherited']).length).toBeGreaterThan(60);
    expect(askKernel(probe, ['--inherited'], [harmlessCall(ARCHITECTURE, 600)])).toEqual(['errno 38']);
  });
});

/** The calls where kernel and `verdict` disagree, in words. */
function differences(name: SeccompProfileName, calls: readonly Call[], probeArgs: readonly string[]): string[] {
  const program = compileProfile(PROFILES[name], ARCHITECTURE, { errnoOffset: ERRNO_OFFSET });
  const seen = askKernel(probe, probeArgs, calls);
  return calls.flatMap((call, index) => {
    const architecture = call.entry === 'int80' ? AUDIT_ARCH_I386 : AUDIT_ARCHITECTURES[ARCHITECTURE];
    const expected = interpret(program, { number: call.number, architecture, args: call.args });
    const wanted = expected.kind === 'allow' ? 'let through' : expected.kind === 'kill' ? 'killed' : `errno ${expected.errno}`;
    const got = isLetThrough(seen[index] ?? '') ? 'let through' : seen[index];
    return wanted === got
      ? []
      : [`${call.entry} ${call.number}(${call.args.join(', ')}): expected ${wanted}, the kernel says ${seen[index]}`];
  });
}

function isLetThrough(seen: string): boolean {
  return seen !== 'killed' && !(seen.startsWith('errno ') && Number(seen.slice('errno '.length)) >= ERRNO_OFFSET);
}

function filterFile(name: SeccompProfileName, architecture: Architecture): string {
  const path = `${BUILD_FOLDER}/${name}-${architecture}.bpf`;
  writeFileSync(path, encode(compileProfile(PROFILES[name], architecture, { errnoOffset: ERRNO_OFFSET })));
  return path;
}

/** `int80` numbers another table, so only the native number is meant. */
function isFiltered({ entry, number }: Call): boolean {
  return ARCHITECTURE !== 'x86_64' || entry !== 'native' || number !== UPROBE;
}

function thisArchitecture(): Architecture {
  const found = architectureOf(process.arch);
  if (found === undefined) throw new Error(`There are no filters for ${process.arch}`);
  return found;
}
