/** What the host does with files for its callers, tricked from inside; overlays; and directories that are shared with the host. */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sandbox } from '@warren/sandbox';
import { type Arena, ATTACK, endOf, readAll, refusalOf, text } from '../arena.ts';
import { host, program, type Theme } from '../attempt.ts';
import type { TestedProfile } from '../setting.ts';

const RACE_MS = 200;
/** Descriptors that pid 1 holds have low numbers. */
const DESCRIPTORS = [4, 3, 5, 6, 7, 8];

export const FILES: Theme = {
  name: 'files',
  attempts: [
    host('files-read-outside', 'have the host read a file of the host', ['inside_operations', 'pivot'], 'absent', (arena) =>
      inSandbox(arena, (sandbox) => refusalOf(readAll(sandbox.readFile(arena.ground.canaries.file)))),
    ),
    host('files-read-link', 'have the host follow a link to a file of the host', ['inside_operations', 'pivot'], 'absent', (arena) =>
      inSandbox(arena, async (sandbox) => {
        await link(arena, sandbox, arena.ground.canaries.file, '/tmp/link');
        return refusalOf(readAll(sandbox.readFile('/tmp/link')));
      }),
    ),
    host('files-write-link', 'have the host write through a link', ['inside_operations', 'pivot'], 'refused stayed inside', (arena) =>
      inSandbox(arena, async (sandbox) => {
        await link(arena, sandbox, arena.ground.canaries.file, '/tmp/link');
        await sandbox.writeFile('/tmp/link', 'overwritten');
        return harmOr(arena, 'refused stayed inside');
      }),
    ),
    host('files-append-link', 'have the host append through a link', ['inside_operations', 'pivot'], 'absent', (arena) =>
      inSandbox(arena, async (sandbox) => {
        // The directory is not there either, so nothing can be created at the end of the link.
        await link(arena, sandbox, arena.ground.canaries.file, '/tmp/link');
        return refusalOf(sandbox.writeFile('/tmp/link', 'more', { append: true }));
      }),
    ),
    host(
      'files-write-directory-link',
      'have the host write below a link to a directory',
      ['inside_operations', 'pivot'],
      'absent',
      (arena) =>
        inSandbox(arena, async (sandbox) => {
          await link(arena, sandbox, arena.ground.canaries.mountDirectory, '/tmp/directory');
          return refusalOf(sandbox.writeFile('/tmp/directory/public', 'overwritten'));
        }),
    ),
    host('files-list-link', 'have the host list a directory of the host', ['inside_operations', 'pivot'], 'absent', (arena) =>
      inSandbox(arena, async (sandbox) => {
        await link(arena, sandbox, arena.ground.canaries.directory.path, '/tmp/directory');
        return refusalOf(sandbox.list('/tmp/directory/'));
      }),
    ),
    host('files-remove-link', 'have the host remove what a link points to', ['inside_operations'], 'refused stayed inside', (arena) =>
      inSandbox(arena, async (sandbox) => {
        await arena.script(sandbox, `mkdir /tmp/tree /tmp/kept && touch /tmp/kept/file && ln -s /tmp/kept /tmp/tree/link`);
        await sandbox.remove('/tmp/tree', { recursive: true });
        const kept = await arena.script(sandbox, 'ls /tmp/kept');
        return kept === 'file' ? 'refused stayed inside' : 'succeeded removed';
      }),
    ),
    host('files-magic-root', 'have the host read through /proc/1/root', ['undumpable'], 'refused permission_denied', (arena) =>
      inSandbox(arena, (sandbox) => refusalOf(readAll(sandbox.readFile('/proc/1/root/etc/passwd')))),
    ),
    host(
      'files-own-environment',
      'have the host read the environment of the process that reads, a copy of the launcher',
      ['undumpable'],
      'refused permission_denied',
      (arena, profile) => inSandbox(arena, (sandbox) => refusalOf(readAll(sandbox.readFile('/proc/self/environ', arena.asInit))), profile),
      { restrictive: 'refused permission_denied' },
    ),
    host(
      'files-own-memory',
      'have the host write the memory of the process that writes',
      ['undumpable'],
      'refused permission_denied',
      (arena) => inSandbox(arena, (sandbox) => refusalOf(sandbox.writeFile('/proc/self/mem', 'x', { ...arena.asInit, append: true }))),
    ),
    host('files-own-descriptors', 'have the host list descriptors of pid 1', ['close'], 'refused only its own', (arena) =>
      inSandbox(arena, async (sandbox) => {
        const entries = await sandbox.list('/proc/self/fd', arena.asInit);
        const strangers = entries.filter(({ target }) => !/^(\/dev\/null|pipe:.*|\/proc\/\d+\/fd)$/.test(target ?? ''));
        return strangers.length === 0 ? 'refused only its own' : `succeeded ${strangers.map(({ target }) => target).join(' ')}`;
      }),
    ),
    host('files-directory-descriptor', 'have the host list a directory of the host that pid 1 holds open', ['close'], 'absent', (arena) =>
      inSandbox(arena, (sandbox) => firstSuccess(DESCRIPTORS, (fd) => refusalOf(sandbox.list(`/proc/self/fd/${fd}/`, arena.asInit)))),
    ),
    host(
      'files-working-directory',
      'start a command in a directory of the host that pid 1 holds open (CVE-2024-21626)',
      ['close'],
      'refused ENOENT',
      (arena, profile) => inSandbox(arena, (sandbox) => workInDescriptor(arena, sandbox), profile),
      { restrictive: 'refused ENOENT' },
    ),
    host('files-working-directory-link', 'the same through a link', ['close'], 'refused ENOENT', (arena) =>
      inSandbox(arena, async (sandbox) => {
        await arena.script(sandbox, 'for fd in 3 4 5 6 7 8; do ln -s /proc/self/fd/$fd /tmp/fd-$fd; done');
        return workInDescriptor(arena, sandbox, (fd) => `/tmp/fd-${fd}`);
      }),
    ),
    host(
      'files-overwrite-launcher',
      'overwrite the program that pid 1 runs (CVE-2019-5736)',
      ['sealed_launcher'],
      'refused ETXTBSY',
      (arena, profile) => inSandbox(arena, (sandbox) => overwriteLauncher(arena, sandbox), profile),
      { restrictive: 'refused ETXTBSY' },
    ),
    host('files-fifo', 'have the host wait for a pipe that nobody writes', ['inside_operations'], 'refused invalid_argument', (arena) =>
      inSandbox(arena, async (sandbox) => {
        await arena.script(sandbox, 'mkfifo /tmp/fifo');
        return refusalOf(readAll(sandbox.readFile('/tmp/fifo')));
      }),
    ),
    host('files-endless', 'have the host read a file without end', ['inside_operations'], 'refused invalid_argument', (arena) =>
      inSandbox(arena, (sandbox) => refusalOf(readAll(sandbox.readFile('/dev/zero')))),
    ),
    host('files-setuid', 'have the host make a setuid program', ['inside_operations', 'seccomp'], 'refused invalid_argument', (arena) =>
      inSandbox(arena, (sandbox) => refusalOf(sandbox.writeFile('/tmp/program', '#!/bin/sh\n', { mode: 0o4755, ...arena.asInit }))),
    ),
    host(
      'files-race-read',
      'have the host read while a file and a link change places',
      ['inside_operations', 'pivot'],
      'refused stayed inside',
      (arena) =>
        inSandbox(arena, async (sandbox) => {
          const { file, secret } = arena.ground.canaries;
          await arena.script(sandbox, `mkdir /tmp/race && echo inside > /tmp/race/file && ln -s ${file} /tmp/race/link`);
          await using _swapping = await swap(arena, sandbox, '/tmp/race/file', '/tmp/race/link');
          const seen = await repeat(async () => {
            const content = await readAll(sandbox.readFile('/tmp/race/file')).catch(() => '');
            return content.includes(secret);
          });
          return seen ? 'succeeded read' : 'refused stayed inside';
        }),
    ),
    host(
      'files-race-write',
      'have the host write while a directory and a link change places',
      ['inside_operations', 'pivot'],
      'refused stayed inside',
      (arena) =>
        inSandbox(arena, async (sandbox) => {
          const { mountDirectory } = arena.ground.canaries;
          await arena.script(sandbox, `mkdir -p /tmp/race/directory && ln -s ${mountDirectory} /tmp/race/link`);
          await using _swapping = await swap(arena, sandbox, '/tmp/race/directory', '/tmp/race/link');
          await repeat(async () => {
            await sandbox.writeFile('/tmp/race/directory/public', 'overwritten').catch(() => {});
            return false;
          });
          return harmOr(arena, 'refused stayed inside');
        }),
    ),
    host(
      'files-race-remove',
      'have the host remove while a directory and a link change places',
      ['inside_operations'],
      'refused stayed inside',
      (arena) =>
        inSandbox(arena, async (sandbox) => {
          await arena.script(
            sandbox,
            'mkdir -p /tmp/race/tree/directory /tmp/kept && touch /tmp/kept/file && ln -s /tmp/kept /tmp/race/link',
          );
          await using _swapping = await swap(arena, sandbox, '/tmp/race/tree/directory', '/tmp/race/link');
          await repeat(async () => {
            await sandbox.mkdir('/tmp/race/tree/directory/inner', { parents: true }).catch(() => {});
            await sandbox.remove('/tmp/race/tree', { recursive: true }).catch(() => {});
            return false;
          });
          return (await arena.script(sandbox, 'ls /tmp/kept')).split('\n').includes('file') ? 'refused stayed inside' : 'succeeded removed';
        }),
    ),
    program('overlay-whiteout-node', 'hide a file by a whiteout of its own', ['seccomp', 'landlock'], 'refused EPERM'),
    program('overlay-whiteout-rename', 'have a rename leave a whiteout', ['seccomp'], 'refused EINVAL'),
    program('overlay-opaque-trusted', 'mark a directory as hiding what is below', ['user', 'capabilities'], 'refused EPERM'),
    host('overlay-forge', 'write marks into the layer that mislead whoever reads it', ['overlay'], 'refused renamed', forgeMarks),
    host('overlay-lower', 'change or remove what lies below the workspace', ['overlay'], 'refused unchanged', async (arena) => {
      const { directory, layer } = await arena.workspace({ 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' });
      await using sandbox = await arena.start({ workspace: { kind: 'overlay', directory, layer } });
      await arena.script(
        sandbox,
        'cd /workspace && echo changed > a.txt && rm b.txt && mv c.txt d.txt && chmod 777 a.txt && rm -rf /workspace/*',
      );
      const left = (await readdir(directory)).toSorted().join(' ');
      const content = await readFile(join(directory, 'a.txt'), 'utf8');
      return left === 'a.txt b.txt c.txt' && content === 'a' ? 'refused unchanged' : `succeeded ${left}`;
    }),
    host(
      'files-read-only-workspace',
      'change a workspace that is read-only',
      ['read_only_mount', 'landlock'],
      'refused EROFS',
      async (arena) => {
        const { directory } = await arena.workspace({ 'a.txt': 'a' });
        await using sandbox = await arena.start({ workspace: { kind: 'read_only', directory } });
        const said = await arena.script(sandbox, 'echo x > /workspace/a.txt || echo x > /workspace/new', { env: { LC_ALL: 'C' } });
        const content = (await readdir(directory)).join(' ') + (await readFile(join(directory, 'a.txt'), 'utf8'));
        return content === 'a.txta' && said === '' ? 'refused EROFS' : 'succeeded changed';
      },
    ),
    host('files-moved-away', 'stay in a directory that the host moves out of the workspace, and walk up', ['kernel'], 'absent', movedAway),
    host('files-host-link', 'leave through a link the host’s user left in the workspace', ['pivot'], 'absent', async (arena) => {
      const { directory } = await arena.workspace({});
      await symlink(arena.ground.canaries.file, join(directory, 'link'));
      await using sandbox = await arena.start({ workspace: { kind: 'writable', directory } });
      return await refusalOf(readAll(sandbox.readFile('/workspace/link')));
    }),
    host(
      'files-device-in-workspace',
      'open a device that lies in the workspace',
      ['read_only_mount'],
      'refused permission_denied',
      async (arena) => {
        const { directory } = await arena.workspace({});
        execFileSync('mknod', ['-m', '666', join(directory, 'device'), 'c', '1', '5']);
        await using sandbox = await arena.start({ workspace: { kind: 'writable', directory } });
        return await refusalOf(readAll(sandbox.readFile('/workspace/device')));
      },
      { needsRoot: true },
    ),
    host(
      'files-setuid-in-workspace',
      'run a setuid program that lies in the workspace',
      ['no_new_privileges'],
      'refused unchanged',
      async (arena) => {
        const { directory } = await arena.workspace({});
        execFileSync('install', ['-m', '4755', join(arena.ground.attackDirectory, 'attack'), join(directory, 'program')]);
        await using sandbox = await arena.start({ workspace: { kind: 'writable', directory } });
        const { stdout } = await arena.run(sandbox, ['/workspace/program', '--direct', 'setid-effective-user'], {
          user: { uid: 1234, gid: 1234 },
        });
        return text(stdout);
      },
      { needsRoot: true },
    ),
    host(
      'files-planted-setuid',
      'run a setuid program that root inside has planted',
      ['seccomp', 'nosuid', 'no_new_privileges'],
      'refused EPERM',
      (arena) =>
        inSandbox(arena, async (sandbox) => {
          const planted = await arena.attack(sandbox, ['setid-plant'], { user: 'root', env: { PLANT_PATH: '/tmp/planted' } });
          const answer = planted.get('setid-plant') ?? '';
          if (!answer.startsWith('succeeded')) return answer;
          return text((await arena.run(sandbox, ['/tmp/planted', '--direct', 'setid-effective-user'])).stdout);
        }),
    ),
    host('mount-flags-nosuid', 'find a place of its own that honours setuid', ['nosuid'], 'absent', (arena) =>
      inSandbox(arena, (sandbox) => mountsWithout(arena, sandbox, 'nosuid')),
    ),
    host('mount-flags-nodev', 'find a place of its own that honours devices', ['nodev'], 'absent', (arena) =>
      inSandbox(arena, (sandbox) => mountsWithout(arena, sandbox, 'nodev')),
    ),
  ],
};

async function inSandbox(arena: Arena, make: (sandbox: Sandbox) => Promise<string>, profile: TestedProfile = 'moderate'): Promise<string> {
  await using sandbox = await arena.start({ profile });
  return await make(sandbox);
}

function harmOr(arena: Arena, answer: string): string {
  const harm = arena.ground.canaries.harm();
  return harm.length === 0 ? answer : `succeeded ${harm.join(', ')}`;
}

async function link(arena: Arena, sandbox: Sandbox, target: string, path: string): Promise<void> {
  await arena.run(sandbox, ['/bin/ln', '-s', target, path]);
}

/** The first answer that is a success, else the last. */
async function firstSuccess<T>(things: readonly T[], make: (thing: T) => Promise<string>): Promise<string> {
  let answer = 'inconclusive';
  for (const thing of things) {
    answer = await make(thing);
    if (answer.startsWith('succeeded')) break;
  }
  return answer;
}

function workInDescriptor(arena: Arena, sandbox: Sandbox, path = (fd: number): string => `/proc/self/fd/${fd}`): Promise<string> {
  return firstSuccess(DESCRIPTORS, async (fd) => {
    const { exit, stdout } = await arena.run(sandbox, ['/bin/ls'], { cwd: path(fd), ...arena.asInit });
    if (exit.kind === 'not_started') return `refused ${exit.errno}`;
    return exit.kind === 'exited' && exit.code === 0 ? `succeeded ${text(stdout).split('\n')[0]}` : `refused ${endOf(exit)}`;
  });
}

/** A command whose program is pid 1's own stays alive waiting for input, and is opened for writing. */
async function overwriteLauncher(arena: Arena, sandbox: Sandbox): Promise<string> {
  const victim = sandbox.exec(['/proc/self/exe', 'opaque'], { stdin: 'pipe' });
  try {
    const pid = await victim.pid;
    const answers = await arena.attack(sandbox, ['root-overwrite-binary'], { env: { TARGET_PID: String(pid) } });
    return answers.get('root-overwrite-binary') ?? '';
  } finally {
    victim.kill('SIGKILL', 'tree');
    await victim.exit;
  }
}

/** Exchanges two paths inside as fast as it can, until disposed. */
async function swap(arena: Arena, sandbox: Sandbox, one: string, other: string): Promise<AsyncDisposable> {
  const swapping = sandbox.exec([ATTACK, '--swap', one, other], { env: arena.ground.canaries.environment });
  await swapping.pid;
  return {
    async [Symbol.asyncDispose]() {
      swapping.kill('SIGKILL', 'tree');
      await swapping.exit;
    },
  };
}

/** Tries for a while; true as soon as one try is. */
async function repeat(attempt: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + RACE_MS;
  while (performance.now() < end) if (await attempt()) return true;
  return false;
}

/** `user.overlay.opaque` would hide, `user.overlay.redirect` would show: they must arrive in the layer under names that mean nothing. */
async function forgeMarks(arena: Arena): Promise<string> {
  const { directory, layer } = await arena.workspace({});
  await using sandbox = await arena.start({ workspace: { kind: 'overlay', directory, layer } });
  const answer = (await arena.attack(sandbox, ['overlay-forge'])).get('overlay-forge') ?? '';
  if (!answer.startsWith('succeeded')) return answer;
  const read = (name: string): string =>
    execFileSync(join(arena.ground.attackDirectory, 'attack'), ['--attribute', join(layer, 'upper/forged'), name], {
      encoding: 'utf8',
    }).trim();
  const raw = ['user.overlay.opaque', 'user.overlay.redirect'].map(read);
  return raw.every((value) => value === 'ENODATA') ? 'refused renamed' : `succeeded ${raw.join(' ')}`;
}

/** Inside works in /workspace/deep; the host moves `deep` next to a file that inside may not see. */
async function movedAway(arena: Arena): Promise<string> {
  const { directory, layer } = await arena.workspace({});
  await mkdir(join(directory, 'deep'), { mode: 0o755 });
  await writeFile(join(layer, 'neighbour'), arena.ground.canaries.secret);
  await using sandbox = await arena.start({ workspace: { kind: 'writable', directory } });
  const script = 'cd /workspace/deep && echo ready && read line && cat ../neighbour';
  const command = sandbox.exec(['/bin/sh', '-c', script], { stdin: 'pipe' });
  let said = '';
  for await (const chunk of command.stdout) {
    said += Buffer.from(chunk).toString('utf8');
    if (said !== 'ready\n') continue;
    await rename(join(directory, 'deep'), join(layer, 'deep'));
    await command.write(Buffer.from('go\n'));
    command.closeStdin();
  }
  await command.exit;
  return said.includes(arena.ground.canaries.secret) ? 'succeeded read' : said === 'ready\n' ? 'absent' : `inconclusive ${said}`;
}

/** Mounts that somebody inside may write to and that lack the option. */
async function mountsWithout(arena: Arena, sandbox: Sandbox, option: string): Promise<string> {
  const mounts = await arena.script(sandbox, 'cat /proc/self/mountinfo');
  const found = mounts.split('\n').flatMap((line) => {
    const [, , , , point = '', options = ''] = line.split(' ');
    // A device node is a mount of its own and must be a device.
    const isDevice = option === 'nodev' && point.startsWith('/dev/') && point !== '/dev/shm';
    return isDevice || point === '/' || point.startsWith('/proc/') || options.split(',').includes(option) ? [] : [point];
  });
  return found.length === 0 ? 'absent' : `succeeded ${found.join(' ')}`;
}
