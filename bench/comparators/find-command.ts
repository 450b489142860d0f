/** Finds a program that we are compared to; as root on Debian or Ubuntu, installs it. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Context } from '../harness/benchmark.ts';
import { runProgram } from '../harness/run-program.ts';

export type Missing = { readonly kind: 'missing'; readonly note: string };

/** The path of `command`, or what to type to get it. */
export function findOrInstall(command: string, debianPackage: string, { say }: Context): string | Missing {
  const found = find(command);
  if (found !== undefined) return found;
  const type = `apt-get install -y --no-install-recommends ${debianPackage}`;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !existsSync('/etc/debian_version') || find('apt-get') === undefined)
    return missing(`${command} is not installed: ${isRoot ? '' : 'sudo '}${type}`);
  say(`installing the Debian package ${debianPackage}, to compare with (${type})`);
  try {
    const flags = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20', '-o', 'DPkg::Lock::Timeout=60'];
    runProgram('apt-get', [...flags, ...type.split(' ').slice(1)], { ...process.env, DEBIAN_FRONTEND: 'noninteractive' });
  } catch (error) {
    return missing(`${command} cannot be installed (${firstLine(error)}): apt-get update && ${type}`);
  }
  return find(command) ?? missing(`${command} is not in ${debianPackage}`);
}

export function find(command: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .concat('/usr/sbin', '/sbin')
    .map((directory) => join(directory, command))
    .find((path) => existsSync(path));
}

export function missing(note: string): Missing {
  return { kind: 'missing', note };
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error)
    .trim()
    .split('\n')[0] as string; // split never returns an empty list.
}
