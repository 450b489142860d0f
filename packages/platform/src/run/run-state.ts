/** What a run knows, folded from its journal step by step; the same steps make the same state, whoever reads them. */
import { tokensUsed } from '../model/complete.ts';
import type {
  AssistantMessage,
  MalformedCallContent,
  ModelFinish,
  ModelMessage,
  ToolCallContent,
  ToolResultContent,
} from '../model/model.ts';
import type { RunStep, SaidContent } from './run-step.ts';

/** A call that the model asked for, and that has no result in the journal yet. */
export type OpenCall = {
  /** The model's step. */
  readonly of: number;
  /** Within that step. */
  readonly index: number;
  readonly call: ToolCallContent | MalformedCallContent;
};

/** A message for the model, and the step it begins with. */
type Said = { readonly seq: number; readonly message: ModelMessage };

export class RunState {
  #said: Said[] = [];
  #open: OpenCall[] = [];
  #results: ToolResultContent[] = [];
  /** What was said while calls were open: their results come first, as every provider wants it. */
  #held: Said[] = [];
  #task: SaidContent = [];
  #turn = '';
  #next = 0;
  #startedAt = 0;
  #turns = 0;
  #tokens = 0;
  #costMicros = 0;
  #repeats = 0;
  #isWarned = false;
  #toldInARow = 0;
  #isEnded = false;
  #failures = 0;
  #troubleAt = 0;
  #trouble = '';
  #last: Omit<ModelFinish, 'type'> | undefined;

  /** The number of the step that comes next. */
  get next(): number {
    return this.#next;
  }

  get startedAt(): number {
    return this.#startedAt;
  }

  /** For the model. What people said one after the other is one message: not every provider takes two. */
  get messages(): readonly ModelMessage[] {
    const messages: ModelMessage[] = [];
    for (const { message } of this.#said) {
      const last = messages.at(-1);
      if (last?.role === 'user' && message.role === 'user')
        messages[messages.length - 1] = { role: 'user', content: [...last.content, ...message.content] };
      else messages.push(message);
    }
    return messages;
  }

  get openCalls(): readonly OpenCall[] {
    return this.#open;
  }

  /** The last that the model said. */
  get last(): Omit<ModelFinish, 'type'> | undefined {
    return this.#last;
  }

  /** Whether nothing was said since the model's last word, and nothing is left to do. */
  get isAnswered(): boolean {
    return this.#last !== undefined && this.#open.length === 0 && this.#said.at(-1)?.message.role === 'assistant';
  }

  get turns(): number {
    return this.#turns;
  }

  get tokens(): number {
    return this.#tokens;
  }

  get costMicros(): number {
    return this.#costMicros;
  }

  /** How many times in a row the model asked for the same, and was told the same. */
  get repeats(): number {
    return this.#repeats;
  }

  /** Whether it was told so, this time. */
  get isWarned(): boolean {
    return this.#isWarned;
  }

  /** How many times in a row the model could not answer. */
  get failures(): number {
    return this.#failures;
  }

  /** When it could not the last time, and why. */
  get troubleAt(): number {
    return this.#troubleAt;
  }

  get trouble(): string {
    return this.#trouble;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** How many times in a row the loop told the model something instead of taking its answer. */
  get toldInARow(): number {
    return this.#toldInARow;
  }

  get canBeSummedUp(): boolean {
    return this.cutFor(2) !== undefined;
  }

  /** In order; those it knows are passed by. */
  add(...steps: readonly RunStep[]): void {
    for (const step of steps) if (step.seq >= this.#next) this.#add(step);
  }

  #add(step: RunStep): void {
    if (step.seq !== this.#next) throw new Error(`Step ${step.seq} of a run cannot follow step ${this.#next - 1}`);
    this.#next += 1;
    switch (step.kind) {
      case 'task':
        this.#startedAt = step.at;
        this.#task = step.content;
        this.#said.push(saidBy(step));
        break;
      case 'message':
        this.#toldInARow = step.from === LOOP ? this.#toldInARow + 1 : 0;
        this.#isWarned ||= step.from === LOOP;
        if (this.#open.length > 0) this.#held.push(saidBy(step));
        else this.#said.push(saidBy(step));
        break;
      case 'model':
        this.#addTurn(step);
        break;
      case 'call':
        this.#addResult(step);
        break;
      case 'summary':
        this.#tokens += step.tokens;
        this.#costMicros += step.costMicros;
        this.#sumUp(step);
        break;
      case 'trouble':
        this.#failures += 1;
        this.#troubleAt = step.at;
        this.#trouble = step.message;
        break;
      case 'note':
        break;
      case 'end':
        this.#isEnded = true;
        break;
      default:
        step satisfies never;
    }
  }

  /**
   * Where a summary may end: the first step that is told as it was said when about so many messages are. Never between a call and its result. Undefined: there is nothing to sum up.
   */
  cutFor(messagesKept: number): number | undefined {
    for (let index = Math.max(1, this.#said.length - messagesKept); index < this.#said.length; index++) {
      const { seq, message } = this.#said[index] as Said; // Before the end.
      if (message.role !== 'tool' && index > 1) return seq;
    }
    return undefined;
  }

  /** What was said before this step. */
  messagesBefore(first: number): readonly ModelMessage[] {
    return this.#said.filter(({ seq }) => seq < first).map(({ message }) => message);
  }

  /** The task stays as it was given. */
  #sumUp({ seq, text, first }: RunStep & { readonly kind: 'summary' }): void {
    const rest = this.#said.filter((said) => said.seq >= first);
    const words = `What was done since then was summed up, to make room:\n\n${text}`;
    this.#said = [{ seq, message: { role: 'user', content: [...this.#task, { type: 'text', text: words }] } }, ...rest];
  }

  #addTurn(step: RunStep & { readonly kind: 'model' }): void {
    this.#last = step;
    this.#failures = 0;
    this.#turns += 1;
    this.#tokens += tokensUsed(step);
    this.#costMicros += step.cost.micros;
    const late = this.#said.filter(({ seq }) => seq >= step.heard);
    this.#said = [...this.#said.filter(({ seq }) => seq < step.heard), { seq: step.seq, message: step.message }];
    this.#open = callsOf(step.message).map((call, index) => ({ of: step.seq, index, call }));
    this.#results = [];
    if (this.#open.length === 0) this.#said.push(...late);
    else this.#held = late;
  }

  #addResult({ id, outcome, content }: RunStep & { readonly kind: 'call' }): void {
    this.#toldInARow = 0;
    const done = this.#open.find(({ call }) => call.id === id);
    if (done === undefined) throw new Error(`A run cannot have a result of ${JSON.stringify(id)}: it is not open`);
    this.#results.push({ type: 'tool_result', id, name: done.call.name, content, ...(outcome !== 'done' && { isError: true }) });
    this.#open = this.#open.filter((each) => each !== done);
    if (this.#open.length > 0) return;
    const message = (this.#said.at(-1) as Said).message as AssistantMessage; // Of the model, who asked.
    const order = callsOf(message).map((call) => call.id);
    const results = this.#results.toSorted((one, other) => order.indexOf(one.id) - order.indexOf(other.id));
    this.#said.push({ seq: this.#next - 1, message: { role: 'tool', content: results } });
    this.#countRepeats(message, results);
    this.#said.push(...this.#held.splice(0));
  }

  #countRepeats(message: AssistantMessage, results: readonly ToolResultContent[]): void {
    const asked = callsOf(message).map((call) => [call.name, call.type === 'tool_call' ? call.input : call.text]);
    const turn = JSON.stringify([asked, results.map(({ content }) => content)]);
    const isSame = turn === this.#turn;
    this.#turn = turn;
    this.#repeats = isSame ? this.#repeats + 1 : 1;
    if (!isSame) this.#isWarned = false;
  }
}

/** Who speaks when the loop itself does. */
export const LOOP = 'warren';

export function callsOf({ content }: AssistantMessage): readonly (ToolCallContent | MalformedCallContent)[] {
  return content.filter((part) => part.type === 'tool_call' || part.type === 'malformed_call');
}

function saidBy({ seq, content }: { readonly seq: number; readonly content: SaidContent }): Said {
  return { seq, message: { role: 'user', content } };
}
