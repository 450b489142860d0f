/** A test that holds us to an entry of the manifest. Its title is the entry, and what it shows of it if there are several. */
import { it, type TestContext } from 'vitest';
import { MANIFEST, type ProvedId } from './manifest.ts';

type Body = (context: TestContext) => Promise<void> | void;

export function proves(id: ProvedId, body: Body): void;
export function proves(id: ProvedId, name: string, body: Body): void;
export function proves(id: ProvedId, nameOrBody: string | Body, body?: Body): void {
  if (typeof nameOrBody === 'string') it(`${id}: ${nameOrBody}`, body);
  else it(`${id}: ${MANIFEST[id].behaviour}`, nameOrBody);
}
