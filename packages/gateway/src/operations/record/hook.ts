import type { FileHook } from '@warren/platform';
import type { HookRecord } from '@warren/protocol/contract';

export function toHook(hook: FileHook): HookRecord {
  const { name, on, workspaces = null, capabilities = null, priority, timeout } = hook;
  const common = { name, on: [...on], workspaces, capabilities, priority, timeout_ms: timeout };
  if ('command' in hook) return { ...common, kind: 'command', command: hook.command, webhook: null };
  const { origin, pathname } = new URL(hook.webhook);
  return { ...common, kind: 'webhook', command: null, webhook: `${origin}${pathname}` };
}
