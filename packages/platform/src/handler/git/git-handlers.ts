/** The capabilities of category `git`. Git runs in the agent's sandbox, under a configuration of ours; start reading at `open-repository.ts`. */
import type { Handlers } from '../../capability/handler.ts';
import { branch } from './branch.ts';
import { checkout } from './checkout.ts';
import { clone } from './clone.ts';
import { commit } from './commit.ts';
import { diff } from './diff.ts';
import { init } from './init.ts';
import { log } from './log.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';
import { status } from './status.ts';

export const gitHandlers = {
  'git.init': init,
  'git.clone': clone,
  'git.status': status,
  'git.diff': diff,
  'git.log': log,
  'git.branch': branch,
  'git.checkout': checkout,
  'git.commit': commit,
  'git.pull': pull,
  'git.push': push,
} as unknown as Handlers; // The gate parses inputs by the definitions, which say these types.
