import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

it('the main entry imports neither the contract nor anything of others, so that it costs a start nothing', () => {
  const reached = new Set<string>();
  const follow = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const [, specifier = ''] of readFileSync(path, 'utf8').matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)';/gm)) {
      if (specifier.startsWith('.')) follow(join(dirname(path), specifier));
      else reached.add(specifier);
    }
  };
  follow(join(import.meta.dirname, 'index.ts'));
  const names = [...reached].map((path) => path.replace(`${import.meta.dirname}/`, ''));
  expect(names.toSorted()).toEqual([
    'fault.ts',
    'format-duration.ts',
    'host-pattern.ts',
    'ids.ts',
    'index.ts',
    'ipv6-groups.ts',
    'is-loopback.ts',
    'json-rpc.ts',
    'json.ts',
    'member-role.ts',
    'suggest.ts',
    'supervision.ts',
  ]);
});
