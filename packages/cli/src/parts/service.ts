import type { ServiceParts } from '../commands/service.ts';

/** How this very program was started. */
export function serviceParts(): ServiceParts {
  return { program: [process.execPath, ...process.execArgv, process.argv[1] ?? ''], uid: process.geteuid?.() ?? 0 };
}
