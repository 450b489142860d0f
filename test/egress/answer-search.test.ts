/** An answer that comes while values go out, searched by the redactors that the daemon has. */
import { expect, it } from 'vitest';
import { createSecretRedactor } from '../../packages/kernel/src/redact/secret-redactor.ts';
import { AnswerSearch } from '../../packages/sandbox/src/egress/proxy/secret/answer-search.ts';
import type { AnswerRedactor } from '../../packages/sandbox/src/egress/proxy/secret/egress-secrets.ts';

const OLDER = 'hunter2-hunter2-0123456789';
const NEWER = 'ghp_0123456789abcdefABCDEF';

/** Values by when they are used. */
class Used {
  readonly #values: { readonly name: string; readonly value: Uint8Array }[] = [];
  redactor: AnswerRedactor = createSecretRedactor([]);

  add(name: string, value: string): void {
    this.#values.push({ name, value: Buffer.from(value) });
    this.redactor = createSecretRedactor(this.#values);
  }
}

function start() {
  const used = new Used();
  const search = new AnswerSearch({ redactor: () => used.redactor }, 'web.test');
  const parts: Uint8Array[] = [];
  return {
    used,
    told: () => Buffer.concat(parts).toString(),
    say: (text: string) => void parts.push(search.push(Buffer.from(text)), search.flush()),
    end: () => void parts.push(search.end()),
  };
}

it('a value is found that was used for the first time after the answer began', () => {
  const { used, say, end, told } = start();
  say('data: nothing yet\n\n');
  expect(told()).toBe('data: nothing yet\n\n');
  used.add('older', OLDER);
  say(`data: ${OLDER}\n\n`);
  used.add('newer', NEWER);
  say(`data: ${NEWER} ${OLDER}\n\n`);
  end();
  expect(told()).toBe('data: nothing yet\n\ndata: [redacted:older]\n\ndata: [redacted:newer] [redacted:older]\n\n');
});

it('a value is found of which half came before another was used, at whichever byte', () => {
  for (let cut = 1; cut < OLDER.length; cut++) {
    const { used, say, end, told } = start();
    used.add('older', OLDER);
    say(`data: ${OLDER.slice(0, cut)}`);
    used.add('newer', NEWER);
    say(`${OLDER.slice(cut)} ${NEWER.slice(0, cut)}`);
    used.add('third', 'another-value-altogether');
    say(`${NEWER.slice(cut)}\n\n`);
    end();
    expect(told()).toBe('data: [redacted:older] [redacted:newer]\n\n');
  }
});

it('events go on as they come, however many values were used', () => {
  const { used, say, told } = start();
  let all = '';
  for (let each = 0; each < 8; each++) {
    used.add(`value/${each}`, `${NEWER}-${each}`);
    say(`data: ${each}\n\n`);
    all += `data: ${each}\n\n`;
    expect(told()).toBe(all);
  }
});

it('an answer ends in which more values would have to be looked for one after another than there is room for', () => {
  const { used, say } = start();
  for (let each = 0; each < 8; each++) {
    used.add(`value/${each}`, `${NEWER}-${each}`);
    say('data: x\n\n');
  }
  used.add('last', OLDER);
  expect(() => say('data: x\n\n')).toThrow('Cannot read on in the answer of web.test');
});
