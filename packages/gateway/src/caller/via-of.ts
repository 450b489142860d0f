import type { CallRequest, Principal } from '@warren/kernel';

/** Who makes a call in the name of a process that is not theirs. */
export function viaOf({ principal, name }: { readonly principal: Principal; readonly name: string | undefined }): CallRequest['via'] {
  if (principal.kind === 'process' || principal.kind === 'agent') return undefined;
  return { kind: principal.kind, name: name ?? principal.kind };
}
