import type { EventRecord, GrantRecord, GrantSet } from '@warren/kernel';
import type { Random } from '@warren/kernel/testing';
import type { Asking, Known, Model, Part } from '../part.ts';
import { optional, somePid } from './processes.ts';

const TOOLS = ['*', 'filesystem.*', 'filesystem.read', 'mail.send'] as const;
const PATHS = ['/', '/memory', '/memory/a', '/task'] as const;
const HOSTS = ['*', '**.example.org', '*.example.org', 'api.example.org', 'api.example.org:443'] as const;
const MODELS = ['*', 'claude-*', 'claude-1'] as const;
const EVERY = 5;
const ALL: GrantSet = { tools: ['*'], paths: [{ prefix: '/', mode: 'rw' }], hosts: ['*'], models: ['*'], subAgents: true };

/** What a process may ask for. A set of grants is as large as the questions it answers with yes. */
type Question = {
  readonly what: string;
  readonly ask: (mine: Asking['mine'], pid: number) => Promise<boolean>;
  readonly isIn: (set: GrantSet) => boolean;
};

const QUESTIONS: readonly Question[] = [
  ...['filesystem.read', 'filesystem.write', 'mail.send'].map(toolQuestion),
  ...['/memory/a/x', '/memory/b', '/task', '/other'].flatMap((path) => [pathQuestion(path, 'r'), pathQuestion(path, 'rw')]),
  ...['example.org', 'api.example.org', 'deep.api.example.org', 'other.net'].flatMap((host) => [
    hostQuestion(host, 443),
    hostQuestion(host, 80),
  ]),
  ...['claude-1', 'claude-2', 'gpt-1'].map(modelQuestion),
];

function toolQuestion(tool: string): Question {
  const isIn = ({ tools }: GrantSet) =>
    tools.some((each) => each === '*' || each === tool || (each.endsWith('.*') && tool.startsWith(each.slice(0, -1))));
  return { what: `tool ${tool}`, ask: (mine, pid) => mine.grants.checkTool(pid, tool), isIn };
}

function pathQuestion(path: string, mode: 'r' | 'rw'): Question {
  const isBelow = (prefix: string) => prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
  const isIn = ({ paths }: GrantSet) => paths.some((each) => (mode === 'r' || each.mode === 'rw') && isBelow(each.prefix));
  return { what: `path ${path} ${mode}`, ask: (mine, pid) => mine.grants.checkPath(pid, path, mode), isIn };
}

function hostQuestion(host: string, port: number): Question {
  const isOf = (pattern: string) => {
    if (pattern === '*' || pattern === host) return true;
    const domain = pattern.replace(/^\*+\./, '');
    if (!pattern.startsWith('*')) return false;
    const below = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : undefined;
    return pattern.startsWith('**') ? host === domain || below !== undefined : below?.includes('.') === false;
  };
  const isIn = ({ hosts }: GrantSet) =>
    hosts.some((each) => {
      const [pattern = '', only] = each.split(':');
      return (only === undefined || Number(only) === port) && isOf(pattern);
    });
  return { what: `host ${host}:${port}`, ask: (mine, pid) => mine.grants.checkHost(pid, host, port), isIn };
}

function modelQuestion(model: string): Question {
  const isIn = ({ models }: GrantSet) => models.some((each) => (each.endsWith('*') ? model.startsWith(each.slice(0, -1)) : each === model));
  return { what: `model ${model}`, ask: (mine, pid) => mine.grants.checkModel(pid, model), isIn };
}

class GrantModel implements Model {
  readonly #known: Known;
  readonly #all = new Map<number, GrantRecord>();
  #lastId = 0;

  constructor(known: Known) {
    this.#known = known;
  }

  hear(event: EventRecord): void {
    const { pid = 0, kind, payload } = event;
    if (kind === 'kernel.process.created') this.#allowChild(event);
    if (!kind.startsWith('kernel.grant.')) return;
    if (kind === 'kernel.grant.created' || kind === 'kernel.grant.derived') this.#give(event);
    else if (payload['reason'] === 'process_ended') this.#end(pid);
    else this.#shrink(event);
  }

  rest(): void {
    for (const held of this.#all.values()) {
      if (!this.#known.processes.isAlive(held.pid)) throw new Error(`Process ${held.pid} is DEAD and holds grants`);
      if (held.parentGrantId === undefined) continue;
      const above = [...this.#all.values()].find(({ grantId }) => grantId === held.parentGrantId);
      if (above === undefined) throw new Error(`The grant above that of process ${held.pid} is gone`);
      checkWithin(above, held, `process ${held.pid}, of ${above.pid}`);
    }
  }

  state() {
    return [...this.#all.values()].toSorted((one, other) => one.pid - other.pid).map((held) => ({ held, answers: answersOf(held) }));
  }

  #allowChild({ payload }: EventRecord): void {
    const parentPid = optional<number>(payload['parent_pid']);
    if (parentPid !== undefined && this.#all.get(parentPid)?.subAgents === false)
      throw new Error(`Process ${parentPid} has a child, and no right to`);
  }

  #give({ pid = 0, at, payload }: EventRecord): void {
    const given = { ...readSet(payload), ...readIds(payload), pid, createdAt: at };
    if (given.grantId <= this.#lastId) throw new Error(`Grant ${given.grantId} was given after ${this.#lastId}`);
    this.#lastId = given.grantId;
    if (this.#all.has(pid)) throw new Error(`Process ${pid} was given grants twice`);
    const { parentPid } = this.#known.processes.get(pid);
    const above = parentPid === undefined ? undefined : this.#all.get(parentPid);
    if (parentPid !== undefined) checkWithin(above, given, `process ${pid}, a child of ${parentPid}`);
    if (given.parentGrantId !== above?.grantId) throw new Error(`Grant ${given.grantId} is not below that of the parent`);
    this.#all.set(pid, given);
  }

  #shrink({ pid = 0, payload }: EventRecord): void {
    const before = this.#all.get(pid);
    const left = readSet(payload);
    if (before === undefined) throw new Error(`Process ${pid} lost grants, and had none`);
    checkWithin(before, left, `process ${pid}, of what it had`);
    this.#all.set(pid, { ...before, ...left });
  }

  #end(pid: number): void {
    const ended = this.#all.get(pid);
    if (ended === undefined) throw new Error(`Process ${pid} lost its grants, and had none`);
    this.#all.delete(pid);
    for (const held of this.#all.values())
      if (held.parentGrantId === ended.grantId) this.#all.set(held.pid, { ...held, parentGrantId: ended.parentGrantId });
  }
}

function checkWithin(outer: GrantSet | undefined, inner: GrantSet, whose: string): void {
  for (const { what, isIn } of QUESTIONS)
    if (isIn(inner) && (outer === undefined || !isIn(outer))) throw new Error(`The grants of ${whose}, go beyond in ${what}`);
  if (inner.subAgents && outer?.subAgents !== true) throw new Error(`The grants of ${whose}, go beyond in sub agents`);
}

function answersOf(held: GrantRecord): readonly string[] {
  return questionsTo(held).filter(({ isIn }) => isIn(held)).map(({ what }) => what); // biome-ignore format: one line
}

/** A few of them for each grant, which saves time. */
function questionsTo({ grantId }: GrantRecord): readonly Question[] {
  return QUESTIONS.filter((_, index) => index % EVERY === grantId % EVERY);
}

/** Wrong types differ from what is held. */
function readSet(payload: EventRecord['payload']): GrantSet {
  return {
    tools: payload['tool_grants'] as GrantSet['tools'], // As above.
    paths: payload['fs_grants'] as GrantSet['paths'], // As above.
    hosts: payload['net_grants'] as GrantSet['hosts'], // As above.
    models: payload['model_grants'] as GrantSet['models'], // As above.
    subAgents: payload['sub_agent'] === true,
  };
}

function readIds(payload: EventRecord['payload']) {
  return { grantId: Number(payload['grant_id']), parentGrantId: optional<number>(payload['parent_grant_id']) };
}

export const grants: Part = {
  name: 'grants',
  weight: 1,

  opening: [
    async (asking) => {
      const { pid, grantId } = await asking.mine.grants.create(somePid(asking), ALL);
      return [{ kind: 'kernel.grant.created', pid, payload: { grant_id: grantId } }];
    },
  ],

  asks: [
    async (asking) => {
      const { pid, grantId } = await asking.mine.grants.create(somePid(asking), someSet(asking.random));
      return [{ kind: 'kernel.grant.created', pid, payload: { grant_id: grantId } }];
    },
    async (asking) => {
      const { pid, grantId } = await asking.mine.grants.derive(somePid(asking), somePid(asking), someSet(asking.random));
      return [{ kind: 'kernel.grant.derived', pid, payload: { grant_id: grantId } }];
    },
    async (asking) => {
      const { narrowed } = await asking.mine.grants.narrow(somePid(asking), someSet(asking.random));
      return narrowed.map((pid) => ({ kind: 'kernel.grant.narrowed', pid }));
    },
    async (asking) => {
      const pid = somePid(asking);
      if (asking.random.chance(0.6)) return [];
      const { revoked } = await asking.mine.grants.revoke(pid);
      return revoked.map((each) => ({ kind: 'kernel.grant.revoked', pid: each }));
    },
  ],

  createModel: (known) => new GrantModel(known),

  async observe({ mine, processes }) {
    const all = [];
    for (const { pid } of processes) {
      const held = await mine.grants.find(pid);
      if (held !== undefined) all.push({ held, answers: await answersTo(mine, held) });
    }
    return all;
  },
};

async function answersTo(mine: Asking['mine'], held: GrantRecord): Promise<readonly string[]> {
  const questions = questionsTo(held);
  const answers = await Promise.all(questions.map(({ ask }) => ask(mine, held.pid)));
  return questions.filter((_, index) => answers[index]).map(({ what }) => what);
}

/** Much or little of everything: what is within what is decided by chance. */
function someSet(random: Random): Partial<GrantSet> {
  const share = random.pick([0.9, 0.5, 0.2]);
  const some = <T>(from: readonly T[]): readonly T[] => from.filter(() => random.chance(share));
  return {
    tools: some(TOOLS),
    paths: some(PATHS).map((prefix) => ({ prefix, mode: random.pick(['r', 'rw'] as const) })),
    hosts: some(HOSTS),
    models: some(MODELS),
    subAgents: random.chance(share),
  };
}
