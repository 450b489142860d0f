import type { CallError } from '@warren/kernel';
import type { JsonObject, JsonValue } from '@warren/protocol';
import { checkOutput } from './check-output.ts';
import { isObject } from './compile-field.ts';
import { compileInput } from './compile-input.ts';
import type { Definition, Example, Problem } from './definition.ts';
import { lintDefinitions } from './lint-definitions.ts';

export type ExampleResult = {
  readonly description: string;
  readonly isPassed: boolean;
  /** What came instead. */
  readonly reason: string | undefined;
};

export type CapabilityTest = {
  readonly warnings: readonly Problem[];
  readonly examples: readonly ExampleResult[];
  readonly isPassed: boolean;
};

/** Makes the call of an example, in a workspace of its own with the files of `setup`. */
export type MakeCall = (
  capability: string,
  example: Pick<Example, 'input' | 'setup'>,
  signal: AbortSignal,
) => Promise<
  { readonly kind: 'done'; readonly output: JsonObject } | { readonly kind: 'failed'; readonly error: Pick<CallError, 'type' | 'message'> }
>;

/** Lints a definition and runs its examples, one after the other. What `call` throws is the result of that example; only abort ends it all. */
export async function testCapability(definition: Definition, call: MakeCall, signal: AbortSignal): Promise<CapabilityTest> {
  const warnings = lintDefinitions([definition]);
  const examples: ExampleResult[] = [];
  for (const example of definition.examples) {
    signal.throwIfAborted();
    const reason = await runExample(definition, example, call, signal);
    examples.push({ description: example.description, isPassed: reason === undefined, reason });
  }
  return { warnings, examples, isPassed: examples.every(({ isPassed }) => isPassed) };
}

/** Why it is not as it should be. */
async function runExample(definition: Definition, example: Example, call: MakeCall, signal: AbortSignal): Promise<string | undefined> {
  if (example.error !== 'InvalidInput') {
    const parsed = compileInput(definition.inputs)(example.input);
    if (parsed.kind === 'invalid')
      return `the input is refused: ${parsed.problems.map(({ field, reason }) => `${field} ${reason}`.trim()).join('; ')}`;
  }
  try {
    const answer = await call(definition.name, example, signal);
    if (answer.kind === 'failed') {
      return answer.error.type === example.error ? undefined : `it fails with ${answer.error.type}: ${answer.error.message}`;
    }
    if (example.error !== undefined) return `it succeeds instead of failing with ${example.error}`;
    const broken = checkOutput(definition.outputs, answer.output, true);
    if (broken.length > 0) return broken.join('; ');
    return differences(example.output ?? {}, answer.output, '');
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}

/** Fields that are not mentioned may be anything; lists are compared whole. */
function differences(expected: JsonObject, actual: JsonObject, at: string): string | undefined {
  for (const [name, value] of Object.entries(expected)) {
    const given = actual[name];
    const place = `${at}${name}`;
    if (isObject(value) && isObject(given)) {
      const inner = differences(value, given, `${place}.`);
      if (inner !== undefined) return inner;
    } else if (canonical(given) !== canonical(value)) return `${place} is ${shown(given)}, not ${shown(value)}`;
  }
  return undefined;
}

function canonical(value: JsonValue | undefined): string {
  return (
    JSON.stringify(value, (_, each: unknown) =>
      isObject(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
    ) ?? ''
  );
}

function shown(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
