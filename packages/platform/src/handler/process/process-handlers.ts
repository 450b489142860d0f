/** The capabilities of category `process`. Commands run in the agent's sandbox, and end with it. */
import type { Handlers } from '../../capability/handler.ts';
import { kill } from './kill.ts';
import { list, logs, monitor, wait } from './look-after.ts';
import { run } from './run.ts';

export const processHandlers = {
  'process.run': run,
  'process.list': list,
  'process.info': monitor,
  'process.monitor': monitor,
  'process.wait': wait,
  'process.kill': kill,
  'process.logs': logs,
} as unknown as Handlers; // The gate parses inputs by the definitions, which say these types.
