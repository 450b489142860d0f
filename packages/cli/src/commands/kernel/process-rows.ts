import type { AgentProcess } from '@warren/protocol/contract';
import type { Color } from '../../internal/color.ts';
import { safeText } from '../../internal/safe-text.ts';

export const STATE_COLORS: Readonly<Record<AgentProcess['state'], Color>> = {
  READY: 'cyan',
  RUNNING: 'green',
  WAITING: 'yellow',
  SUSPENDED: 'yellow',
  DEAD: 'dim',
};

export function processRow(process: AgentProcess): readonly string[] {
  return [
    `${process.pid}`,
    process.parent_pid === null ? '-' : `${process.parent_pid}`,
    process.state,
    process.exit_kind ?? '-',
    safeText(process.name),
    safeText(process.template),
  ];
}
