/** Secrets as a platform hands them to a proxy: one that is bound to a host, and a redactor that knows its value. */
import type { AnswerRedactor, EgressSecrets, SecretAsked } from '../../packages/sandbox/src/egress/proxy/secret/egress-secrets.ts';
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
  const redactor: AnswerRedactor = {
    text: (text) => hide(text, value),
    bytes: (bytes) => Buffer.from(hide(Buffer.from(bytes).toString('latin1'), value), 'latin1'),
    stream: () => redactParts(value),
  };
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
      redactor: () => redactor,
    },
  };
}

function hide(text: string, value: string): string {
  return text.replaceAll(value, REDACTED).replaceAll(Buffer.from(`user:${value}`).toString('base64'), REDACTED);
}

/** Holds back as much as a value has. */
function redactParts(value: string): ReturnType<AnswerRedactor['stream']> {
  let held = '';
  return {
    push(chunk) {
      held = hide(held + Buffer.from(chunk).toString('latin1'), value);
      const safe = Math.max(0, held.length - 2 * value.length - 40);
      const told = held.slice(0, safe);
      held = held.slice(safe);
      return Buffer.from(told, 'latin1');
    },
    flush: () => Buffer.alloc(0),
    end: () => Buffer.from(hide(held, value), 'latin1'),
  };
}
