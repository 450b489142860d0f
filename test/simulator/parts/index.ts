import type { Part } from '../part.ts';
import { files } from './files.ts';
import { grants } from './grants.ts';
import { ledger } from './ledger.ts';
import { mail } from './mail.ts';
import { names } from './names.ts';
import { processes } from './processes.ts';
import { queue } from './queue.ts';
import { runs } from './runs.ts';
import { tokens } from './tokens.ts';

export const PARTS: readonly Part[] = [processes, grants, ledger, queue, runs, mail, names, files, tokens];
