import type { Part } from '../part.ts';
import { processes } from './processes.ts';

export const PARTS: readonly Part[] = [processes];
