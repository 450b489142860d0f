/** The launcher's parsers in a program of their own, built with sanitizers from `launcher/test`: what they say of a spec, and whether anything breaks them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const LAUNCHER = resolve(import.meta.dirname, '../../../../../../launcher');
const BUILD = resolve(LAUNCHER, '../build/test');
const FLAGS = ['-std=gnu11', '-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-Wall', '-Wextra', '-Werror'];

export type FuzzMode = 'specs' | 'requests' | 'frames' | 'arrivals';

export class Harness {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Compiles it, unless it is made of these sources already. Test files run at once, so each builds under a name of its own and moves it into place. */
  static build(): Harness {
    const path = join(BUILD, 'parser-harness');
    const own = `${path}.${process.pid}`;
    const hash = hashOfSources();
    if (existsSync(path) && existsSync(`${path}.hash`) && readFileSync(`${path}.hash`, 'utf8') === hash) return new Harness(path);
    const tests = readdirSync(join(LAUNCHER, 'test')).filter((name) => name.endsWith('.c'));
    // guest.c and serve.c are part of two of the tests, which see what is static in them.
    const units = ['spec.c', 'request.c', 'wire.c', 'failure.c', 'cgroup.c', 'tree.c'];
    mkdirSync(BUILD, { recursive: true });
    execFileSync('gcc', [...FLAGS, ...tests.map((name) => join('test', name)), ...units, '-o', own], {
      cwd: LAUNCHER,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    renameSync(own, path);
    writeFileSync(`${path}.hash`, hash);
    return new Harness(path);
  }

  /** What the launcher says of each spec: `ok …` with counts, or the failure as a line of JSON. */
  parse(specs: readonly (readonly string[])[]): readonly string[] {
    const samples = specs.map((flags) => Buffer.from(flags.map((flag) => `${flag}\0`).join('')));
    return this.#run(['parse'], samples).trimEnd().split('\n');
  }

  /** Feeds a parser `count` mutations of the samples; says how many were accepted. Throws, with the sanitizer's words, when one breaks it. */
  fuzz(mode: FuzzMode, seed: number, count: number, samples: readonly Uint8Array[]): number {
    return Number.parseInt(this.#run([mode, `${seed}`, `${count}`], samples), 10);
  }

  #run(args: readonly string[], samples: readonly Uint8Array[]): string {
    const input = samples.flatMap((sample) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(sample.length);
      return [length, sample];
    });
    return execFileSync(this.#path, args, { input: Buffer.concat(input), encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  }
}

function hashOfSources(): string {
  const hash = createHash('sha256').update(FLAGS.join(' '));
  for (const name of readdirSync(LAUNCHER, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (/\.[ch]$/.test(name)) hash.update(`\0${name}\0`).update(readFileSync(join(LAUNCHER, name)));
  }
  return hash.digest('hex');
}
