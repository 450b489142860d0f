import type { ServiceParts } from '../commands/service.ts';
import { thisProgram } from './this-program.ts';

export function serviceParts(): ServiceParts {
  return { program: thisProgram(), uid: process.geteuid?.() ?? 0 };
}
