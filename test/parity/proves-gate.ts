/** A test that holds us to an entry of the manifest of the gate. */
import { it, type TestContext } from 'vitest';
import { GATE_MANIFEST, type GateProvedId } from './gateway-manifest.ts';

type Body = (context: TestContext) => Promise<void> | void;

export function provesGate(id: GateProvedId, body: Body): void;
export function provesGate(id: GateProvedId, name: string, body: Body): void;
export function provesGate(id: GateProvedId, nameOrBody: string | Body, body?: Body): void {
  if (typeof nameOrBody === 'string') it(`${id}: ${nameOrBody}`, body);
  else it(`${id}: ${GATE_MANIFEST[id].behaviour}`, nameOrBody);
}
