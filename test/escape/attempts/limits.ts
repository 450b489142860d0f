/** Taking more than the share of memory, processes, descriptors, disk, time; the exit says which limit it was. */
import { existsSync } from 'node:fs';
import type { SandboxSpec } from '@warren/sandbox';
import { type Arena, endOf, refusalOf } from '../arena.ts';
import { type Attempt, host, program, type Theme } from '../attempt.ts';

const MIB = 1_048_576;
const SMALL_MEMORY: SandboxSpec = { limits: { memoryBytes: 64 * MIB } };
const SMALL_SCRATCH: SandboxSpec = { limits: { scratchBytes: MIB } };
const FEW_PROCESSES: SandboxSpec = { limits: { pids: 32 } };

export const LIMITS: Theme = {
  name: 'limits',
  attempts: [
    direct('limit-memory', 'take more memory', ['cgroup_limits'], 'refused by memory', SMALL_MEMORY),
    direct('limit-memory-file', 'take more memory as a file without a name', ['cgroup_limits'], 'refused by memory', SMALL_MEMORY),
    direct('limit-shared-memory', 'take more memory as System V shared memory', ['cgroup_limits'], 'refused by memory', SMALL_MEMORY),
    direct(
      'limit-scratch-memory',
      'take more memory as files in /tmp',
      ['cgroup_limits', 'scratch_limits'],
      'refused by memory',
      SMALL_MEMORY,
    ),
    direct(
      'limit-processes',
      'fork without end',
      ['cgroup_limits', 'rlimits'],
      'refused EAGAIN, limit pids',
      FEW_PROCESSES,
      'refused EAGAIN',
    ),
    direct(
      'limit-threads',
      'start threads without end',
      ['cgroup_limits', 'rlimits'],
      'refused EAGAIN, limit pids',
      FEW_PROCESSES,
      'refused EAGAIN',
    ),
    program('limit-scratch', 'fill /tmp', ['scratch_limits', 'cgroup_limits'], 'refused ENOSPC', { spec: SMALL_SCRATCH }),
    program('limit-home', 'fill its home', ['scratch_limits', 'cgroup_limits'], 'refused ENOSPC', { spec: SMALL_SCRATCH }),
    program('limit-shm', 'fill /dev/shm', ['scratch_limits', 'cgroup_limits'], 'refused ENOSPC', { spec: SMALL_SCRATCH }),
    program('limit-run', 'fill /run', ['scratch_limits', 'cgroup_limits'], 'refused ENOSPC', { spec: SMALL_SCRATCH }),
    program('limit-inodes', 'make files without end', ['scratch_limits', 'cgroup_limits'], 'refused ENOSPC', { spec: SMALL_SCRATCH }),
    program('limit-descriptors', 'open files without end', ['rlimits'], 'refused EMFILE', { restrictive: 'refused EMFILE' }),
    program('limit-file-size', 'make a file larger than allowed', ['rlimits'], 'refused EFBIG', { restrictive: 'refused EFBIG' }),
    program('limit-locked-memory', 'lock more memory than allowed', ['rlimits'], 'refused ENOMEM'),
    program('limit-queues', 'take more kernel memory for message queues', ['landlock', 'rlimits'], 'refused EACCES'),
    program('limit-core', 'leave a core dump', ['rlimits'], 'refused no core', { restrictive: 'refused no core' }),
    program('limit-pipe', 'enlarge a pipe beyond what everybody may', ['capabilities', 'user'], 'refused EPERM', { user: 'root' }),
    program('limit-terminals', 'take the terminals of the whole machine', ['new_terminals'], 'refused ENOSPC'),
    program('limit-requests', 'take the asynchronous requests of the whole machine', ['seccomp'], 'refused ENOSYS', {
      restrictive: 'refused ENOSYS',
    }),
    host('limit-file-size-signal', 'write on after the signal for too large a file', ['rlimits'], 'refused by file_size', async (arena) =>
      stopped(arena, 'head -c 3000000 /dev/zero > /tmp/large', { limits: { fileBytes: MIB } }),
    ),
    host('limit-processor', 'use more processor time than a command may', ['rlimits'], 'refused by cpu', async (arena) => {
      await using sandbox = await arena.start();
      const { exit } = await arena.run(sandbox, ['/bin/sh', '-c', 'while :; do :; done'], { limits: { cpuSeconds: 1 } });
      return exit.kind === 'stopped' ? `refused by ${exit.by}` : `succeeded ${endOf(exit)}`;
    }),
    host(
      'limit-share',
      'use more of the processor than its share',
      ['cgroup_limits'],
      'refused throttled',
      async (arena) => {
        await using sandbox = await arena.start({ limits: { cpus: 0.1 } });
        const { exit } = await arena.run(sandbox, ['/bin/sh', '-c', 'while :; do :; done'], { timeoutMs: 500, killGraceMs: 0 });
        const { cpuThrottledMs } = await sandbox.stats();
        if (exit.kind !== 'stopped') return `inconclusive ${endOf(exit)}`;
        return (cpuThrottledMs ?? 0) > 0 ? 'refused throttled' : 'succeeded not throttled';
      },
      { needsRoot: true },
    ),
    host('limit-deadline', 'take longer than a command may', ['deadline'], 'refused by deadline', async (arena) => {
      await using sandbox = await arena.start();
      const { exit } = await arena.run(sandbox, ['/bin/sleep', '1000'], { timeoutMs: 100 });
      return exit.kind === 'stopped' ? `refused by ${exit.by}` : `succeeded ${endOf(exit)}`;
    }),
    host('limit-lifetime', 'live longer than a sandbox may', ['deadline'], 'refused by deadline', async (arena) => {
      await using sandbox = await arena.start({ limits: { wallMs: 150 } });
      const running = arena.run(sandbox, ['/bin/sleep', '1000']);
      const { exit } = await running;
      const gone = await sandbox.gone;
      return exit.kind === 'stopped' && gone.reason === 'deadline' ? `refused by ${exit.by}` : `succeeded ${endOf(exit)} ${gone.reason}`;
    }),
    host('limit-disk', 'fill the disk through the workspace', ['disk_watch'], 'refused by disk', (arena) =>
      fillWorkspace(arena, 'head -c 4000000 /dev/zero > /workspace/large; sleep 1000'),
    ),
    host('limit-disk-files', 'use up the inodes of the disk through the workspace', ['disk_watch'], 'refused by disk', (arena) =>
      fillWorkspace(arena, 'cd /workspace && i=0; while [ $i -lt 20000 ]; do : > $i; i=$((i+1)); done; sleep 1000'),
    ),
    host('limit-operations', 'use up the room of the host’s file operations', ['scratch_limits'], 'refused storage_full', async (arena) => {
      await using sandbox = await arena.start(SMALL_SCRATCH);
      return await refusalOf(sandbox.writeFile('/tmp/large', new Uint8Array(2 * MIB)));
    }),
  ],
};

/** As the command itself, in a sandbox of its own. */
function direct(id: string, title: string, walls: Attempt['walls'], answer: string, spec: SandboxSpec, unprivileged?: string): Attempt {
  const make = async (arena: Arena): Promise<string> => {
    await using sandbox = await arena.start(spec);
    return await arena.attackDirectly(sandbox, id);
  };
  return host(id, title, walls, answer, make, unprivileged === undefined ? { needsRoot: true } : { unprivileged });
}

async function stopped(arena: Arena, script: string, spec: SandboxSpec): Promise<string> {
  await using sandbox = await arena.start(spec);
  const { exit } = await arena.run(sandbox, ['/bin/sh', '-c', `exec ${script}`]);
  return exit.kind === 'stopped' ? `refused by ${exit.by}` : `succeeded ${endOf(exit)}`;
}

async function fillWorkspace(arena: Arena, script: string, waitMs = 15_000): Promise<string> {
  const { directory, layer } = await arena.workspace({});
  await using sandbox = await arena.start({ limits: { diskBytes: MIB }, workspace: { kind: 'overlay', directory, layer } });
  const { exit } = await arena.run(sandbox, ['/bin/sh', '-c', script], { timeoutMs: waitMs, killGraceMs: 0 });
  if (exit.kind === 'stopped' && exit.by === 'disk') return 'refused by disk';
  return existsSync(layer) ? `succeeded ${endOf(exit)}` : 'inconclusive';
}
