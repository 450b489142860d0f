/** A Linux machine in a process: QEMU without KVM, one processor, a serial console and nothing else. Boots in one to three seconds. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Machine = {
  readonly kernel: string;
  readonly initramfs: Uint8Array;
  readonly memoryMib: number;
  /** Becomes the environment of the guest's pid 1. */
  readonly environment: Readonly<Record<string, string>>;
};

const CONSOLE_BYTES_MAX = 4_194_304;

/**
 * Runs the machine until it powers itself off, and resolves with what it wrote to its console. When `signal` fires the machine is killed and this
 * rejects; it never outlives this process either.
 */
export async function runMachine(machine: Machine, signal: AbortSignal, onText: (text: string) => void = () => {}): Promise<string> {
  signal.throwIfAborted();
  const flags = qemuFlags(machine);
  const initramfs = openNameless(machine.initramfs);
  // With the parent-death signal: a test runner that is killed takes the machine along.
  const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe', initramfs],
  });
  closeSync(initramfs);
  const kill = (): boolean => qemu.kill('SIGKILL');
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | string | null>();
  qemu.once('error', reject);
  qemu.once('close', (code, by) => resolve(by ?? code));
  signal.addEventListener('abort', kill, { once: true });
  let text = '';
  let complaints = '';
  qemu.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    onText(chunk);
    if (text.length > CONSOLE_BYTES_MAX) kill();
  });
  qemu.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    complaints += chunk;
  });
  try {
    const how = await ended;
    if (how === 0) return text;
    const why = signal.aborted ? String(signal.reason) : `QEMU ended with ${how}`;
    throw new Error(`Cannot run the virtual machine: ${why}\n${complaints}\nThe end of its console:\n${text.slice(-4_000)}`);
  } finally {
    signal.removeEventListener('abort', kill);
    kill(); // Harmless once it has ended.
  }
}

/** A file that has no name any more when this returns, so that nobody has to remove it. */
function openNameless(content: Uint8Array): number {
  const directory = mkdtempSync(join(tmpdir(), 'warren-test-'));
  try {
    const file = join(directory, 'initramfs');
    writeFileSync(file, content);
    return openSync(file, 'r');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function qemuFlags({ kernel, memoryMib, environment }: Machine): readonly string[] {
  const khz = readTscKhz();
  const parameters = [
    ...['console=ttyS0', 'quiet', 'loglevel=3', 'panic=-1'],
    // Without these two the kernel hangs calibrating its clock: this machine has no timer it could compare with.
    ...[`tsc_early_khz=${khz}`, `lpj=${khz * 4}`],
    ...['tsc=reliable', 'no_timer_check', 'cryptomgr.notests', 'mitigations=off', 'nokaslr', 'random.trust_cpu=on', 'nowatchdog'],
    ...['audit=0', 'ipv6.disable=1', 'lsm=landlock,capability'],
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`), // What the kernel does not know it hands to pid 1.
  ];
  return [
    ...['-M', 'microvm,x-option-roms=off,rtc=on,isa-serial=on', '-accel', 'tcg,tb-size=256', '-cpu', 'qemu64', '-m', String(memoryMib)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-kernel', kernel, '-initrd', '/proc/self/fd/3', '-append', parameters.join(' ')],
  ];
}

/** How fast this processor's time stamp counter runs: as the kernel found it, or from BogoMIPS, which it derives from that. */
function readTscKhz(): number {
  const megahertz = /tsc: Detected ([\d.]+) MHz/.exec(spawnSync('dmesg', { encoding: 'utf8' }).stdout ?? '')?.[1];
  if (megahertz !== undefined) return Math.round(Number(megahertz) * 1_000);
  const bogomips = /^bogomips\s*:\s*([\d.]+)/im.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  if (bogomips === undefined) throw new Error('Cannot run a virtual machine: neither dmesg nor /proc/cpuinfo tells the speed of the TSC');
  return Math.round(Number(bogomips) * 500);
}
