import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { InteropClient } from './clients.ts';
import { runProgram } from './run-program.ts';

const INSTALLED = resolve(import.meta.dirname, '../../../build/interop');
const INSTALL_MS_MAX = 300_000;

export type Installed = { readonly program: string } | { readonly missing: string };

/** Puts the exact versions below `build/interop`, once; runs none of their scripts. */
export async function installClient({ name, packages, program }: InteropClient): Promise<Installed> {
  const folder = join(INSTALLED, `${name}-${packages[0]?.split('@').at(-1)}`);
  const path = join(folder, 'node_modules', program);
  if (existsSync(path)) return { program: path };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const npm = ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--save-exact', ...packages];
  // All of the environment: it may say where the registry is.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const { code, output } = await runProgram(npm, { cwd: folder, env, msMax: INSTALL_MS_MAX });
  return code === 0 && existsSync(path) ? { program: path } : { missing: `npm install ended with ${code}: ${output.trim().slice(-300)}` };
}
