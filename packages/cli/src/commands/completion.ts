import type { Command } from 'commander';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { readModel } from '../completion/model.ts';
import { zshScript } from '../completion/zsh.ts';
import type { Host } from '../internal/host.ts';
import type { Shell } from '../program.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Record<Shell, unknown>;

export async function completion(shell: Shell, program: Command, host: Host): Promise<number> {
  await host.stdout.write(SCRIPTS[shell](readModel(program)));
  return 0;
}
