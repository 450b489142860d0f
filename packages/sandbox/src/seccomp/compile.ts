import { Assembler, type Label } from './assembler.ts';
import * as bpf from './bpf.ts';
import { type Decision, ERRNOS, type Question } from './decision.ts';
import { answersOf, type Profile } from './profile.ts';
import { PROFILES, type SeccompProfileName } from './profiles.ts';
import { type Architecture, AUDIT_ARCHITECTURES, SYSCALLS, type SyscallName } from './syscalls.ts';

export type CompileOptions = {
  /**
   * Added to every error number, so that a test can tell a refusal of the filter from one of the kernel. At most 3,998: the kernel cuts
   * at 4095.
   */
  readonly errnoOffset?: number;
  /**
   * For pid 1, which starts each command inside a cgroup by clone3. Commands get a filter of four instructions on top that takes it away again
   * (launcher/command.c): no filter can look behind the pointer for flags that make namespaces.
   */
  readonly isForInit?: boolean;
};

/** All numbers from `first` to the next range's `first`. */
type Range = { readonly first: number; readonly answer: Decision | 'kill' };

const compiled = new Map<string, Uint8Array<ArrayBuffer>>();

/** What holds for commands, as an array of `struct sock_filter`. The result is shared; whoever changes it changes it for all. */
export function compileFilter(name: SeccompProfileName, architecture: Architecture): Uint8Array<ArrayBuffer> {
  return remembered(`${name} ${architecture}`, name, architecture, {});
}

/** The filter as the launcher takes it: what pid 1 installs for itself and everything below. */
export function compileInitFilter(name: SeccompProfileName, architecture: Architecture): Uint8Array<ArrayBuffer> {
  return remembered(`${name} ${architecture} init`, name, architecture, { isForInit: true });
}

function remembered(key: string, name: SeccompProfileName, architecture: Architecture, options: CompileOptions): Uint8Array<ArrayBuffer> {
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const bytes = bpf.encode(compileProfile(PROFILES[name], architecture, options));
  compiled.set(key, bytes);
  return bytes;
}

/**
 * Compiles a profile: a check of the architecture, a balanced search for the range the number lies in, then the answer.
 *
 * A call made by another architecture's entry (`int 0x80` on x86_64) has other numbers, so it kills: nothing in here is built for it, and
 * an error would invite it to try again. For the plain calls the kernel works out once per filter that they are always allowed and then
 * does not run the program at all (since 5.11), which it can do because nothing but LOAD, AND, jumps and RETURN leads to them.
 */
export function compileProfile(profile: Profile, architecture: Architecture, options: CompileOptions = {}): readonly bpf.Instruction[] {
  const program = new Assembler();
  const answers = new AnswerWriter(program, options.errnoOffset ?? 0);
  const decisions = new Map(answersOf(profile));
  if (options.isForInit === true) decisions.set('clone3', 'allow');
  const ranges = rangesOf(decisions, architecture).map(({ first, answer }) => ({ first, label: answers.write(answer) }));
  const search = writeSearch(program, ranges);
  const dispatch = program.loads(bpf.NUMBER_OFFSET, undefined, search);
  const check = program.branches(bpf.JUMP_IF_EQUAL, AUDIT_ARCHITECTURES[architecture], dispatch, answers.write('kill'));
  program.loads(bpf.ARCHITECTURE_OFFSET, undefined, check);
  return program.finish();
}

/** Cuts the numbers from 0 to 2^32 into ranges with one answer each. */
function rangesOf(answers: ReadonlyMap<SyscallName, Decision>, architecture: Architecture): readonly Range[] {
  const table = Object.entries(SYSCALLS[architecture]) as [SyscallName, number][]; // Object.entries forgets what the keys are.
  const ranges: Range[] = [{ first: 0, answer: 'ENOSYS' }];
  for (const [name, number] of table.toSorted(([, a], [, b]) => a - b)) {
    ranges.push({ first: number, answer: answers.get(name) ?? 'EPERM' }, { first: number + 1, answer: 'ENOSYS' });
  }
  if (architecture === 'x86_64') {
    // x32: the same entry with bit 30 set, so the architecture check does not see it. Nothing in here is built for it, so it kills like
    // `int 0x80` does. Numbers above are not x32 for the kernel either; -1 is asked on purpose by some, and is simply unknown.
    ranges.push({ first: 0x40000000, answer: 'kill' }, { first: 0x80000000, answer: 'ENOSYS' });
  }
  return merged(ranges);
}

function merged(ranges: readonly Range[]): Range[] {
  const notEmpty = ranges.filter((range, index) => ranges[index + 1]?.first !== range.first);
  return notEmpty.filter((range, index) => keyOf(notEmpty[index - 1]?.answer) !== keyOf(range.answer));
}

function keyOf(answer: Range['answer'] | undefined): string | undefined {
  return JSON.stringify(answer);
}

function writeSearch(program: Assembler, ranges: readonly { readonly first: number; readonly label: Label }[]): Label {
  const middle = ranges[ranges.length >> 1];
  if (middle === undefined) throw new RangeError('There is no range to search');
  if (ranges.length === 1) return middle.label;
  const above = writeSearch(program, ranges.slice(ranges.length >> 1));
  const below = writeSearch(program, ranges.slice(0, ranges.length >> 1));
  return program.branches(bpf.JUMP_IF_AT_LEAST, middle.first, above, below);
}

/** Writes each answer once, however many calls share it. */
class AnswerWriter {
  readonly #written = new Map<string, Label>();
  readonly #program: Assembler;
  readonly #errnoOffset: number;

  constructor(program: Assembler, errnoOffset: number) {
    this.#program = program;
    this.#errnoOffset = errnoOffset;
  }

  write(answer: Range['answer']): Label {
    const key = JSON.stringify(answer);
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const label = typeof answer === 'object' ? this.#writeQuestion(answer) : this.#program.returns(this.#verdict(answer));
    this.#written.set(key, label);
    return label;
  }

  #verdict(answer: Exclude<Range['answer'], Question>): number {
    if (answer === 'allow') return bpf.RETURN_ALLOW;
    if (answer === 'kill') return bpf.RETURN_KILL_PROCESS;
    return bpf.RETURN_ERRNO | (ERRNOS[answer] + this.#errnoOffset);
  }

  #writeQuestion(question: Question): Label {
    const comparisons = question.cases.flatMap(({ is, answer }) => is.map((value) => ({ value, label: this.write(answer) })));
    let next = this.write(question.otherwise);
    for (const { value, label } of comparisons.toReversed()) {
      next = this.#program.branches(bpf.JUMP_IF_EQUAL, value, label, next);
    }
    return this.#program.loads(bpf.argumentOffset(question.arg), question.mask, next);
  }
}
