import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { TemporaryDirectory } from '@warren/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Actions, buildProgram } from '../program.ts';
import { atTerminal, hasPython } from '../test-support/terminal.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { flatten, readModel } from './model.ts';
import { zshScript } from './zsh.ts';

const model = readModel(buildProgram({} as Actions, () => {})); // Nothing is run.

/** A directory with the three scripts, something to complete, and a `warren` that knows two runs. */
async function prepare(): Promise<TemporaryDirectory> {
  const directory = await TemporaryDirectory.create();
  await writeFile(directory.join('warren.bash'), bashScript(model));
  await writeFile(directory.join('warren.zsh'), zshScript(model));
  await writeFile(directory.join('warren.fish'), fishScript(model));
  await mkdir(directory.join('here', 'a directory'), { recursive: true });
  await writeFile(directory.join('here', 'afile.txt'), '');
  await writeFile(
    directory.join('warren'),
    '#!/bin/sh\n[ "$*" = "runs --ids" ] && printf "0abcrun\\n0xyzrun\\n"\n[ "$*" = "kernel methods --names" ] && printf "queue.get\\nqueue.claim\\n"\n[ "$*" = "capability list --names" ] && printf "demo.look\\nfilesystem.read\\n"\n[ "$*" = "workspace list --names" ] && printf "acme\\nglobex\\n"\n[ "$*" = "skill list --names" ] && printf "invoice\\nrelease-notes\\n"\n[ "$*" = "capability describe demo.look --names" ] && printf "path=\\nmode=fast\\nmode=safe\\n"\nexit 0\n',
  );
  await chmod(directory.join('warren'), 0o755);
  return directory;
}

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

/** What is typed, and what must and must not be offered. The last word is the one being completed. */
type Case = {
  readonly typed: string;
  readonly offers: readonly string[];
  readonly not?: readonly string[];
  /** Of candidates such as `key=value`: shells differ in how much they offer at once. */
  readonly part?: 'key' | 'value';
};

const CASES: readonly Case[] = [
  { typed: 'warren ', offers: ['run', 'diff', 'apply', 'undo', 'runs', 'rm', 'doctor', 'completion', 'help'], not: ['permissive'] },
  { typed: 'warren do', offers: ['doctor'], not: ['diff'] },
  { typed: 'warren run --pro', offers: ['--profile'] },
  { typed: 'warren run --profile ', offers: ['permissive', 'moderate', 'restrictive'] },
  { typed: 'warren run --tty --profile re', offers: ['restrictive'], not: ['moderate'] },
  { typed: 'warren run --dir a', offers: ['a directory'], not: ['afile.txt'] },
  { typed: 'warren diff 0a', offers: ['0abcrun'], not: ['0xyzrun'] },
  { typed: 'warren diff 0abcrun af', offers: ['afile.txt'] },
  { typed: 'warren rm 0abcrun 0x', offers: ['0xyzrun'] },
  { typed: 'warren diff --color ', offers: ['auto', 'always', 'never'] },
  { typed: 'warren completion ', offers: ['bash', 'zsh', 'fish'] },
  { typed: 'warren help ap', offers: ['apply'] },
  { typed: 'warren kernel ', offers: ['summary', 'agents', 'events', 'proc'], not: ['run', 'afile.txt'] },
  { typed: 'warren skill enable in', offers: ['invoice'], not: ['release-notes'] },
  { typed: 'warren secret list --workspace a', offers: ['acme'], not: ['globex'] },
  { typed: 'warren workspace delete g', offers: ['globex'], not: ['acme'] },
  { typed: 'warren kernel ev', offers: ['events'], not: ['agents'] },
  { typed: 'warren kernel events --fo', offers: ['--follow'], not: ['--tier'] },
  { typed: 'warren kernel agents --state ', offers: ['READY', 'DEAD'], not: ['queued'] },
  { typed: 'warren kernel queue --state ', offers: ['queued', 'dead'], not: ['READY'] },
  { typed: 'warren capability describe d', offers: ['demo.look'], not: ['filesystem.read'] },
  { typed: 'warren policy explain f', offers: ['filesystem.read'], not: ['demo.look'] },
  { typed: 'warren kernel methods queue.c', offers: ['queue.claim'], not: ['queue.get'] },
  { typed: 'warren workspace cr', offers: ['create'], not: ['list'] },
  { typed: 'warren token rev', offers: ['revoke'], not: ['create'] },
  { typed: 'warren serve --recovery ', offers: ['resume', 'suspend', 'mark-dead'] },
  { typed: 'warren serve --state a', offers: ['a directory'], not: ['afile.txt'] },
  { typed: 'warren backup afi', offers: ['afile.txt'] },
  { typed: 'warren ag', offers: ['agent'], not: ['apply'] },
  { typed: 'warren agent st', offers: ['start', 'stop'], not: ['list'] },
  { typed: 'warren agent start --sub', offers: ['--sub-agents'] },
  { typed: 'warren call ', offers: ['demo.look', 'filesystem.read', 'result'], not: ['afile.txt', 'path='] },
  { typed: 'warren call de', offers: ['demo.look'], not: ['filesystem.read', 'result'] },
  { typed: 'warren call result --wa', offers: ['--wait'], not: ['--taint'] },
  { typed: 'warren call demo.look --ta', offers: ['--taint'] },
  { typed: 'warren call demo.look ', offers: ['path', 'mode'], part: 'key' },
  { typed: 'warren call --as bob demo.look path=x mo', offers: ['mode'], not: ['path'], part: 'key' },
  { typed: 'warren call demo.look mode=f', offers: ['fast'], not: ['safe', 'afile.txt'], part: 'value' },
  { typed: 'warren call demo.look mode=', offers: ['fast', 'safe'], not: ['afile.txt'], part: 'value' },
  { typed: 'warren call filesystem.read p', offers: [], not: ['path', 'path='] },
  { typed: 'warren call --ta', offers: ['--taint'], not: ['--tool'] },
  { typed: 'warren approvals ', offers: ['list', 'show', 'approve', 'reject', 'watch', 'rules'], not: ['afile.txt'] },
  { typed: 'warren approvals approve --always ', offers: ['exact', 'capability'] },
  { typed: 'warren approvals rules ', offers: ['list', 'revoke'], not: ['approve'] },
  { typed: 'warren policy si', offers: ['simulate'], not: ['show'] },
  { typed: 'warren policy check af', offers: ['afile.txt'] },
  { typed: 'warren policy import --out af', offers: ['afile.txt'] },
  { typed: 'warren audit export --format ', offers: ['jsonl', 'csv', 'ocsf'] },
  { typed: 'warren audit search --outcome ', offers: ['success', 'denied', 'unknown'], not: ['syscall'] },
  { typed: 'warren audit verify --directory a', offers: ['a directory'], not: ['afile.txt'] },
  { typed: 'warren audit verify --anchor af', offers: ['afile.txt'] },
  { typed: 'warren capability new --language ', offers: ['python', 'sh', 'node'] },
  { typed: 'warren capability test a', offers: ['a directory'], not: ['afile.txt'] },
  { typed: 'warren run -- mkdi', offers: ['mkdir'] },
  { typed: 'warren run --memory 1g -- cat --afl', offers: [], not: ['--all', '--profile'] },
  { typed: 'warren run cat afi', offers: ['afile.txt'] },
];

function check(candidates: readonly string[], { offers, not = [], part }: Case): void {
  const whole = candidates.map((line) => line.split('\t')[0]?.replaceAll('\\', '').replace(/\/$/, '') ?? '');
  const found = part === undefined ? whole : whole.map((word) => word.split('=').at(part === 'key' ? 0 : -1));
  expect(found).toEqual(expect.arrayContaining([...offers]));
  for (const word of not) expect(found).not.toContain(word);
}

describe('the script for bash', () => {
  beforeEach(({ skip }) => skip(!isInstalled('bash'), 'bash is not installed'));

  it.each(CASES)('completes "$typed"', async (one) => {
    await using directory = await prepare();
    const words = one.typed.split(' ').flatMap((word) => (word === '' ? [''] : word.split(/(=)/).filter((piece) => piece !== ''))); // As bash does.
    const program = `source ../warren.bash
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}
      _warren
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], {
      cwd: directory.join('here'),
      env: { PATH: `${directory.path}:/usr/bin:/bin` },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    check(stdout.trimEnd().split('\n'), one);
  });

  it('completes at a prompt, also after "="', async ({ skip }) => {
    skip(!hasPython, 'python3 is not installed');
    await using directory = await prepare();
    const outcome = await atTerminal({
      argv: ['bash', '--norc', '-i'],
      cwd: directory.join('here'),
      env: { PS1: 'ready> ', PATH: `${directory.path}:/usr/bin:/bin`, INPUTRC: '/dev/null', TERM: 'dumb' },
      steps: [
        { expect: 'ready> ', send: 'source ../warren.bash\r' },
        { expect: 'ready> ', send: 'warren run --profile=res\t' },
        { expect: '--profile=restrictive ', send: '--dir a\t' },
        { expect: String.raw`--dir a\\ directory/`, send: '\u0015exit\r' },
      ],
    });
    expect(outcome).toMatchObject({ failedStep: null, timedOut: false });
  });
});

describe('the script for fish', () => {
  beforeEach(({ skip }) => skip(!isInstalled('fish'), 'fish is not installed: apt-get install fish'));

  it.each(CASES)('completes "$typed"', async (one) => {
    await using directory = await prepare();
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', 'source ../warren.fish; complete -C $argv[1]', one.typed], {
      cwd: directory.join('here'),
      env: { PATH: `${directory.path}:/usr/bin:/bin`, HOME: directory.path },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    check(stdout.trimEnd().split('\n'), one);
  });
});

describe('the script for zsh', () => {
  beforeEach(({ skip }) => skip(!isInstalled('zsh') || !hasPython, 'zsh or python3 is not installed: apt-get install zsh python3'));

  it('completes the same', async () => {
    await using directory = await prepare();
    // Every candidate goes through compadd: ask it which of them match (-O), and write them where no prompt is in the way.
    const spy = `
compadd() {
  if [[ -n "$*[(r)-O]$*[(r)-A]$*[(r)-D]" ]]; then builtin compadd "$@"; return; fi
  local -a __found
  builtin compadd -O __found "$@"
  print -rl -- $__found >>! ../candidates
  builtin compadd "$@"
}
begin() { print -r -- "case $1" >>! ../candidates; print "ready for $1" }`;
    await writeFile(directory.join('spy.zsh'), `autoload -Uz compinit\ncompinit -u -D\nsource ../warren.zsh\n${spy}\n`);
    const outcome = await atTerminal({
      argv: ['zsh', '-f', '-i'],
      cwd: directory.join('here'),
      env: { PATH: `${directory.path}:/usr/bin:/bin`, TERM: 'dumb', HOME: directory.path },
      steps: [
        { send: 'source ../spy.zsh\r' },
        ...CASES.flatMap(({ typed }, index) => [
          { wait: 0.1, send: `begin ${index}\r` }, // What follows a Ctrl-C at once is thrown away with it.
          { expect: `ready for ${index}\r`, again: `begin ${index}\r`, send: `${typed}\t` },
          { wait: index === 0 ? 1 : 0.5, send: '\u0003' },
        ]),
        { wait: 0.1, send: 'exit\r' },
      ],
      timeout: 150,
    });
    expect(outcome).toMatchObject({ failedStep: null, timedOut: false });
    // A case that was begun again stands there twice; its last time counts.
    const [, ...parts] = (await readFile(directory.join('candidates'), 'utf8')).split(/^case (\d+)\n/m);
    const candidates = new Map(parts.flatMap((part, at) => (at % 2 === 0 ? [[Number(part), parts[at + 1] ?? ''] as const] : [])));
    for (const [index, one] of CASES.entries()) check((candidates.get(index) ?? '').trimEnd().split('\n'), one);
  }, 160_000);
});

describe('the model', () => {
  it('has a long name and a description for every option, and a summary for every command', () => {
    for (const { name, summary, options } of flatten(model.commands)) {
      expect([name, summary]).not.toContain('');
      for (const { long, description } of options) {
        expect(long).toMatch(/^--[a-z0-9-]+$/);
        expect(description).not.toBe('');
      }
    }
  });

  it('hides what is hidden', () => {
    const longs = flatten(model.commands).flatMap(({ path, options }) => options.map(({ long }) => `${path} ${long}`));
    for (const hidden of ['run --allow', 'run --network', 'runs --ids', 'kernel events --state-dir']) expect(longs).not.toContain(hidden);
  });
});
