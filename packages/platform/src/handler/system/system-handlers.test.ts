import { tmpdir } from 'node:os';
import type { WorkspaceKernel } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { CapabilityError, type HandlerContext } from '../../capability/handler.ts';
import { MachineHistory } from './machine-history.ts';
import { type MachineReading, parseCpu, parseDisks, parseMemory, parseNetwork, readMachine } from './read-machine.ts';
import { createSystemHandlers, type SystemParts } from './system-handlers.ts';

const MINE = {
  observe: { summary: async () => ({ processes: { READY: 2, RUNNING: 1, DEAD: 9 }, uptimeMs: 100_000 }) },
  approvals: { list: async () => ({ approvals: [], pending: 4 }) },
  alerts: { list: async () => ({ alerts: [], pending: 5 }) },
} as unknown as WorkspaceKernel; // What these handlers look at.

function subject(more: Partial<SystemParts> = {}, mine = MINE) {
  const history = new MachineHistory({ read: readMachine, now: () => performance.now() });
  const parts = {
    version: '1.2.3',
    now: () => 1_767_605_400_123,
    directory: tmpdir(),
    history,
    ...more,
  };
  const handlers = createSystemHandlers(parts);
  return async (name: string, input: JsonObject = {}): Promise<JsonObject> => {
    const handler = handlers[`system.${name}`];
    if (handler === undefined) throw new Error(`There is no handler of ${name}`);
    return (await handler(input, { mine } as HandlerContext)).output; // They look at nothing else.
  };
}

async function errorOf(answer: Promise<JsonObject>): Promise<string> {
  const error = await answer.catch((thrown: unknown) => thrown);
  if (error instanceof CapabilityError) return error.type;
  throw new Error(`It answered ${JSON.stringify(error)}`);
}

describe('system.echo', () => {
  it('answers the same text, counted in characters, within bounds', async () => {
    const call = subject();
    expect(await call('echo', { text: 'né\0\n😀' })).toEqual({ text: 'né\0\n😀', len: 5 });
    expect(await errorOf(call('echo', { text: 'x'.repeat(1_048_577) }))).toBe('InvalidInput');
  });
});

describe('system.time', () => {
  it.each([
    [undefined, null, 'UTC'],
    ['UTC', '2026-01-05T09:30:00+00:00', 'UTC'],
    ['Europe/Zurich', '2026-01-05T10:30:00+01:00', 'Europe/Zurich'],
    ['Asia/Kolkata', '2026-01-05T15:00:00+05:30', 'Asia/Kolkata'],
    ['America/St_Johns', '2026-01-05T06:00:00-03:30', 'America/St_Johns'],
    ['Pacific/Kiritimati', '2026-01-05T23:30:00+14:00', 'Pacific/Kiritimati'],
  ])('of %s', async (timezone, local, name) => {
    expect(await subject()('time', timezone === undefined ? {} : { timezone })).toEqual({
      utc: '2026-01-05T09:30:00.123Z',
      unix_epoch: 1_767_605_400,
      unix_epoch_ms: 1_767_605_400_123,
      local,
      timezone: name,
    });
  });

  it.each(['Mars/Olympus', '', '+01:00', '../etc', 'x'.repeat(100_000), '__proto__', 'UTC\0'])('refuses the zone %j', async (timezone) => {
    expect(await errorOf(subject()('time', { timezone }))).toBe('InvalidTimezone');
  });
});

describe('system.info and system.health', () => {
  it('tell of this machine and this workspace', async () => {
    const info = await subject()('info');
    expect(info).toMatchObject({ os_version: 'Warren 1.2.3', uptime_seconds: 100, agent_count: 3, cpu_count: expect.any(Number) });
    expect(Number(info['memory_total_bytes'])).toBeGreaterThan(Number(info['memory_available_bytes']));
    expect(Number(info['disk_total_bytes'])).toBeGreaterThan(Number(info['disk_available_bytes']));
    const health = await subject({ auditBuffer: () => 7 })('health');
    expect(health).toMatchObject({ queue_depths: { approval_pending: 4, alerts_pending: 5, audit_buffer: 7 } });
    expect(health['services']).toContainEqual({ name: 'store', status: 'healthy', message: '' });
  });

  it('a part that fails makes the whole unhealthy, and its words stay inside', async () => {
    const checks = {
      sandboxes: async () => Promise.reject(new Error('/root/secret')),
      mail: async () => ({ status: 'degraded', message: 'slow' }) as const,
    };
    const health = await subject({ checks })('health');
    expect(health['overall_status']).toBe('unhealthy');
    expect(JSON.stringify(health)).not.toContain('secret');
    expect(health['services']).toContainEqual({ name: 'mail', status: 'degraded', message: 'slow' });
  });

  it('a disk or memory that is nearly full is said', async () => {
    const read = (): MachineReading => ({ ...readMachine(), memory: { totalBytes: 1_000, availableBytes: 10 } });
    const health = await subject({ read })('health');
    expect(health['services']).toContainEqual({ name: 'memory', status: 'degraded', message: '99 % of the memory is used' });
  });

  it('what cannot be read is a typed error without paths', async () => {
    expect(await errorOf(subject({ directory: '/nowhere/at/all' })('info'))).toBe('SystemInfoError');
    const broken = { ...MINE, observe: { summary: async () => Promise.reject(new Error('gone')) } } as unknown as WorkspaceKernel; // As above.
    expect(await errorOf(subject({}, broken)('info'))).toBe('SystemInfoError');
    expect(await subject({}, broken)('health')).toMatchObject({ overall_status: 'unhealthy' });
  });
});

describe('system.metrics', () => {
  function machine() {
    const state = { at: 0, busy: 0, total: 0, used: 100 };
    const read = (): MachineReading => ({
      cpu: { busy: state.busy, total: state.total },
      memory: { totalBytes: 1_000, availableBytes: 1_000 - state.used },
      diskIo: { readBytes: state.at, writeBytes: state.at * 2 },
      network: { receivedBytes: state.at * 3, sentBytes: state.at * 4 },
    });
    const history = new MachineHistory({ read, now: () => state.at });
    const pass = (ms: number, load: number): void => {
      for (let left = ms; left > 0; left -= 5_000) {
        state.at += 5_000;
        state.total += 100;
        state.busy += load;
        history.sample();
      }
    };
    return { state, history, pass };
  }

  it('averages and peaks are those of the window and of nothing before it', async () => {
    const { history, pass, state } = machine();
    pass(600_000, 80);
    state.used = 300;
    pass(55_000, 10);
    expect(await subject({ history })('metrics', { window: '1m' })).toEqual({
      window: '1m',
      cpu: { average_percent: 15.8, peak_percent: 80 },
      memory: { average_bytes: 271, peak_bytes: 300, average_percent: 27.1 },
      disk_io: { read_bytes: 60_000, write_bytes: 120_000 },
      network_io: { rx_bytes: 180_000, tx_bytes: 240_000 },
    });
    expect(history.summarize('24h')).toMatchObject({ cpu: { averagePercent: 74.1 }, coveredMs: 655_000 });
  });

  it('keeps a day within bounds, and never makes up what it did not see', () => {
    const { history, pass } = machine();
    expect(history.summarize('24h')).toMatchObject({ cpu: { averagePercent: 0 }, coveredMs: 0 });
    pass(3 * 86_400_000, 50);
    expect(history.summarize('24h')).toMatchObject({ cpu: { averagePercent: 50, peakPercent: 50 } });
    expect(history.summarize('24h').coveredMs).toBeGreaterThan(86_000_000);
    expect(history.summarize('1h').coveredMs).toBeGreaterThan(3_590_000);
  });

  it.each(['2m', '', 'constructor', '__proto__'])('refuses the window %j', async (window) => {
    expect(await errorOf(subject()('metrics', { window }))).toBe('InvalidInput');
  });
});

describe('reading /proc', () => {
  it('takes whole disks and real interfaces, and idle time for idle', () => {
    expect(parseCpu('cpu  10 1 20 100 5 2 3 4 7 0\ncpu0 1 1 1 1')).toEqual({ busy: 40, total: 145 });
    expect(parseMemory('MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    400 kB\n')).toEqual({
      totalBytes: 1_024_000,
      availableBytes: 409_600,
    });
    const disks = [
      '8 0 sda 1 0 10 0 1 0 20 0',
      '8 1 sda1 1 0 10 0 1 0 20 0',
      '259 0 nvme0n1 1 0 1 0 1 0 2 0',
      '7 0 loop0 1 0 99 0 1 0 99 0',
    ].join('\n');
    expect(parseDisks(disks)).toEqual({ readBytes: 11 * 512, writeBytes: 22 * 512 });
    const dev = 'Inter-| Receive\n face |bytes\n    lo: 9 0 0 0 0 0 0 0 9 0\n  eth0: 5 0 0 0 0 0 0 0 6 0\n  eth1:1 0 0 0 0 0 0 0 2 0\n';
    expect(parseNetwork(dev)).toEqual({ receivedBytes: 6, sentBytes: 8 });
  });

  it('reads this machine', () => {
    const { cpu, memory } = readMachine();
    expect(cpu.total).toBeGreaterThan(cpu.busy);
    expect(memory.totalBytes).toBeGreaterThan(0);
  });
});
