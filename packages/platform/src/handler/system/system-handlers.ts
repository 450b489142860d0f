/** The capabilities of category `system`: what the machine and Warren are and how they are. Nothing here tells one tenant of another. */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type Handler, type HandlerContext, type Handlers } from '../../capability/handler.ts';
import { MachineHistory, WINDOWS, type Window } from './machine-history.ts';
import { type ReadMachine, readDisk, readMachine } from './read-machine.ts';
import { tellTime } from './tell-time.ts';

export type Health = 'healthy' | 'degraded' | 'unhealthy';
export type ServiceHealth = { readonly name: string; readonly status: Health; readonly message: string };

export type SystemParts = {
  /** Of Warren, when it is known. */
  readonly version?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of Warren's state: its disk is the one that matters. */
  readonly directory: string;
  /** Whoever makes one calls its `sample` every `MachineHistory.intervalMs`. Without one there are readings of this moment and of the calls before. */
  readonly history?: MachineHistory | undefined;
  readonly read?: ReadMachine | undefined;
  /** Parts of Warren besides its store and its disk. What throws is unhealthy. */
  readonly checks?: Readonly<Record<string, () => Promise<Omit<ServiceHealth, 'name'>>>> | undefined;
  /** Entries of the audit that are not on disk yet. */
  readonly auditBuffer?: (() => number) | undefined;
};

const ECHO_LENGTH_MAX = 1_048_576;
/** Of the disk, below which calls begin to be in danger, and are. */
const DISK_SCARCE = 0.05;
const DISK_GONE = 0.01;
const MEMORY_SCARCE = 0.05;
const ORDER: readonly Health[] = ['healthy', 'degraded', 'unhealthy'];

export function createSystemHandlers(parts: SystemParts): Handlers {
  const read = parts.read ?? readMachine;
  const history = parts.history ?? new MachineHistory({ read, now: () => performance.now() });
  const table: Record<string, (input: JsonObject, context: HandlerContext) => JsonObject | Promise<JsonObject>> = {
    'system.echo': (input) => echo(String(input['text'] ?? '')),
    'system.info': (_, context) => named('SystemInfoError', 'the machine', () => info(parts, read, context)),
    'system.health': (_, context) => named('HealthCheckError', 'the health of Warren', () => health(parts, read, history, context)),
    'system.metrics': (input) =>
      named('MetricsError', 'how busy the machine was', async () => metrics(history, String(input['window'] ?? '5m'))),
    'system.time': (input) => tellTime(parts.now(), typeof input['timezone'] === 'string' ? input['timezone'] : undefined).output,
  };
  const handlerOf =
    (answer: (typeof table)[string]): Handler =>
    async (input, context) => ({ output: await answer(input, context) });
  return Object.fromEntries(Object.entries(table).map(([name, answer]) => [name, handlerOf(answer)]));
}

function echo(text: string): JsonObject {
  if (text.length <= ECHO_LENGTH_MAX) return { text, len: [...text].length };
  throw new CapabilityError('InvalidInput', `Cannot answer the text: it has ${text.length} characters, the limit is ${ECHO_LENGTH_MAX}`, {
    context: { field: 'text' },
  });
}

async function info(parts: SystemParts, read: ReadMachine, { mine }: HandlerContext): Promise<JsonObject> {
  const { processes, uptimeMs } = await mine.observe.summary();
  const { memory } = read();
  const disk = readDisk(parts.directory);
  const alive = Object.entries(processes).filter(([state]) => state !== 'DEAD');
  return {
    os_version: parts.version === undefined ? 'Warren' : `Warren ${parts.version}`,
    uptime_seconds: Math.max(0, uptimeMs / 1_000),
    agent_count: alive.reduce((sum, [, count]) => sum + count, 0),
    cpu_count: availableParallelism(),
    memory_total_bytes: memory.totalBytes,
    memory_available_bytes: memory.availableBytes,
    disk_total_bytes: disk.totalBytes,
    disk_available_bytes: disk.availableBytes,
  };
}

async function health(parts: SystemParts, read: ReadMachine, history: MachineHistory, { mine }: HandlerContext): Promise<JsonObject> {
  const { memory } = read();
  const disk = readDisk(parts.directory);
  const memoryFree = share(memory);
  const diskFree = share(disk);
  const store = async (): Promise<Omit<ServiceHealth, 'name'>> => {
    await mine.observe.summary();
    return { status: 'healthy', message: '' };
  };
  const asked = Object.entries({ store, ...parts.checks }).map(async ([name, check]): Promise<ServiceHealth> => {
    try {
      return { name, ...(await check()) };
    } catch {
      return { name, status: 'unhealthy', message: 'It does not answer' }; // Why is in the log; it may name what is not the agent's.
    }
  });
  const services: readonly ServiceHealth[] = [...(await Promise.all(asked)), diskHealth(diskFree), memoryHealth(memoryFree)];
  const [approvals, alerts] = await Promise.all([mine.approvals.list({}, { limit: 1 }), mine.alerts.list({}, { limit: 1 })]);
  return {
    overall_status: ORDER[Math.max(...services.map(({ status }) => ORDER.indexOf(status)))] ?? 'unhealthy',
    services,
    resource_usage: {
      cpu_percent: history.summarize('1m').cpu.averagePercent,
      memory_percent: used(memoryFree),
      disk_percent: used(diskFree),
      open_files: readdirSync('/proc/self/fd').length,
    },
    queue_depths: { approval_pending: approvals.pending, alerts_pending: alerts.pending, audit_buffer: parts.auditBuffer?.() ?? 0 },
  };
}

function metrics(history: MachineHistory, window: string): JsonObject {
  if (!Object.hasOwn(WINDOWS, window)) {
    const context = { field: 'window' };
    throw new CapabilityError('InvalidInput', `Cannot look back: windows are ${Object.keys(WINDOWS).join(', ')}`, { context });
  }
  const { cpu, memory, diskIo, network } = history.summarize(window as Window); // It is one of them.
  return {
    window,
    cpu: { average_percent: cpu.averagePercent, peak_percent: cpu.peakPercent },
    memory: { average_bytes: memory.averageBytes, peak_bytes: memory.peakBytes, average_percent: memory.averagePercent },
    disk_io: { read_bytes: diskIo.readBytes, write_bytes: diskIo.writeBytes },
    network_io: { rx_bytes: network.receivedBytes, tx_bytes: network.sentBytes },
  };
}

function diskHealth(free: number): ServiceHealth {
  const status = free < DISK_GONE ? 'unhealthy' : free < DISK_SCARCE ? 'degraded' : 'healthy';
  return { name: 'disk', status, message: status === 'healthy' ? '' : `${used(free)} % of the disk is used` };
}

function memoryHealth(free: number): ServiceHealth {
  const isScarce = free < MEMORY_SCARCE;
  return { name: 'memory', status: isScarce ? 'degraded' : 'healthy', message: isScarce ? `${used(free)} % of the memory is used` : '' };
}

function share({ totalBytes, availableBytes }: { readonly totalBytes: number; readonly availableBytes: number }): number {
  return totalBytes === 0 ? 1 : availableBytes / totalBytes;
}

function used(free: number): number {
  return Math.round((1 - free) * 1_000) / 10;
}

async function named(type: string, what: string, answer: () => Promise<JsonObject>): Promise<JsonObject> {
  try {
    return await answer();
  } catch (cause) {
    if (cause instanceof CapabilityError) throw cause;
    throw new CapabilityError(type, `Cannot tell ${what}: it cannot be read now`, { cause });
  }
}
