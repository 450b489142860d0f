import { TaskRefusal } from './task-refusal.ts';

/** A regular expression over lines; of whole characters where it can be read so. Throws `InvalidPattern`. Run it only where it can be ended. */
export function compilePattern(pattern: string, ignoresCase = false): RegExp {
  const flags = ignoresCase ? 'gmi' : 'gm';
  try {
    return new RegExp(pattern, `${flags}u`);
  } catch {
    // Escapes that mean nothing are errors there and themselves without it.
  }
  try {
    return new RegExp(pattern, flags);
  } catch (error) {
    throw new TaskRefusal('InvalidPattern', `Cannot use the pattern: ${error instanceof Error ? error.message : String(error)}`);
  }
}
