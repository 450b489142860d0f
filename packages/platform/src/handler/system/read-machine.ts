/** What the machine is doing, as Linux tells it in /proc: counters since it started, and what is free now. */
import { readFileSync, statfsSync } from 'node:fs';

export type MachineReading = {
  /** Of all processors, in ticks. */
  readonly cpu: { readonly busy: number; readonly total: number };
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  readonly diskIo: { readonly readBytes: number; readonly writeBytes: number };
  readonly network: { readonly receivedBytes: number; readonly sentBytes: number };
};

export type ReadMachine = () => MachineReading;

const SECTOR_BYTES = 512; // Of /proc/diskstats, whatever the disk's own are.

export function readMachine(): MachineReading {
  return {
    cpu: parseCpu(readFileSync('/proc/stat', 'utf8')),
    memory: parseMemory(readFileSync('/proc/meminfo', 'utf8')),
    diskIo: parseDisks(readFileSync('/proc/diskstats', 'utf8')),
    network: parseNetwork(readFileSync('/proc/net/dev', 'utf8')),
  };
}

export function readDisk(directory: string): { readonly totalBytes: number; readonly availableBytes: number } {
  const { bsize, blocks, bavail } = statfsSync(directory);
  return { totalBytes: blocks * bsize, availableBytes: bavail * bsize };
}

export function parseCpu(stat: string): MachineReading['cpu'] {
  const ticks = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').slice(0, 8).map(Number); // What guests use is part of user.
  const total = ticks.reduce((sum, each) => sum + each, 0);
  return { busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0), total };
}

export function parseMemory(meminfo: string): MachineReading['memory'] {
  const bytesOf = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0) * 1_024;
  return { totalBytes: bytesOf('MemTotal'), availableBytes: bytesOf('MemAvailable') };
}

/** Whole disks only: what a partition or a mapping does, its disk does too. */
export function parseDisks(diskstats: string): MachineReading['diskIo'] {
  const rows = diskstats.split('\n').map((line) => line.trim().split(/\s+/));
  const disks = rows.filter(([, , name = '']) => /^([shv]d[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/.test(name));
  const sum = (column: number): number => disks.reduce((total, row) => total + Number(row[column] ?? 0) * SECTOR_BYTES, 0);
  return { readBytes: sum(5), writeBytes: sum(9) };
}

/** All interfaces but the loopback. */
export function parseNetwork(dev: string): MachineReading['network'] {
  const rows = dev
    .split('\n')
    .map((line) => /^\s*([^:\s]+):\s*(.*)$/.exec(line))
    .filter((match) => match !== null && match[1] !== 'lo')
    .map((match) => (match?.[2] ?? '').split(/\s+/).map(Number));
  const sum = (column: number): number => rows.reduce((total, row) => total + (row[column] ?? 0), 0);
  return { receivedBytes: sum(0), sentBytes: sum(8) };
}
