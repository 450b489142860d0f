/** Secrets as a platform hands them to a proxy: one that is bound to a host, and a redactor that knows its value. */
import { Transform } from 'node:stream';
import type { EgressSecrets, SecretAsked } from '../../packages/sandbox/src/egress/proxy/secret/egress-secrets.ts';
import { makePlaceholder } from '../../packages/sandbox/src/egress/proxy/secret/placeholder.ts';

export type TestSecrets = {
  readonly secrets: EgressSecrets;
  readonly placeholder: string;
  readonly asked: SecretAsked[];
  readonly handed: Uint8Array[];
};

export const REDACTED = '[redacted]';

export function testSecrets({
  value,
  host,
  isPlainAllowed,
}: {
  readonly value: string;
  readonly host: string;
  readonly isPlainAllowed?: boolean;
}): TestSecrets {
  const placeholder = makePlaceholder('api/key');
  const asked: SecretAsked[] = [];
  const handed: Uint8Array[] = [];
  const isPlaced = ({ place }: SecretAsked): boolean =>
    place.kind === 'header' ? ['authorization', 'x-api-key'].includes(place.name) : ['key', 'token', 'deep'].includes(place.name);
  return {
    placeholder,
    asked,
    handed,
    secrets: {
      isPlainAllowed,
      substitute: (each) => {
        asked.push(each);
        if (each.placeholder !== placeholder || each.host !== host) return { kind: 'not_bound' };
        if (!isPlaced(each)) return { kind: 'misplaced', where: `it may not stand in the ${each.place.kind} field ${each.place.name}` };
        const bytes = Buffer.from(value);
        handed.push(bytes);
        return { kind: 'value', value: bytes };
      },
      redactor: () => ({
        text: (text) => hide(text, value),
        stream: () => redactStream(value),
      }),
    },
  };
}

function hide(text: string, value: string): string {
  return text.replaceAll(value, REDACTED).replaceAll(Buffer.from(`user:${value}`).toString('base64'), REDACTED);
}

/** Holds back as much as a value has. */
function redactStream(value: string): Transform {
  let held = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      held = hide(held + chunk.toString('latin1'), value);
      const safe = Math.max(0, held.length - 2 * value.length - 40);
      done(null, safe === 0 ? undefined : Buffer.from(held.slice(0, safe), 'latin1'));
      held = held.slice(safe);
    },
    flush(done) {
      done(null, Buffer.from(hide(held, value), 'latin1'));
    },
  });
}
