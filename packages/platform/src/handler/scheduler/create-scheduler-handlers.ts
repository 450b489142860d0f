/** `scheduler.*`: calls an agent wants made later. */
import { type Capability, type CapabilityTable, checkCron, mergeLabels, nextRun } from '@warren/kernel';
import { isFault, type JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type Handlers } from '../../capability/handler.ts';
import type { Job } from '../../schedule/job.ts';
import type { ScheduledCalls } from '../../schedule/scheduled-calls.ts';
import { isoOf } from '../internal/iso-time.ts';

export type SchedulerParts = {
  /** Made after the gate is, and so asked for late. */
  readonly calls: () => ScheduledCalls;
  readonly capabilities: () => CapabilityTable;
  readonly now: () => number;
};

export function createSchedulerHandlers({ calls, capabilities, now }: SchedulerParts): Handlers {
  const create = async (
    context: HandlerContext,
    capability: string,
    inputs: JsonObject,
    when: Pick<Job, 'cron' | 'nextAt' | 'description'>,
  ): Promise<Job> => {
    const known = capabilities().find(capability);
    if (known === undefined)
      throw new CapabilityError('CapabilityNotFound', `Cannot schedule ${capability}: there is no such capability`, {
        context: { capability },
      });
    const parsed = known.parse(inputs);
    if (parsed.kind === 'invalid') {
      const problems = parsed.problems.map(({ field, reason }) => ({ field, reason }));
      throw new CapabilityError(
        'InvalidArguments',
        `Cannot schedule ${capability}: ${problems.map(({ field, reason }) => `${field} ${reason}`).join('; ')}`,
        { context: { problems } },
      );
    }
    const created = await calls().create(context.actor, { capability, inputs, taint: context.taint, ...when });
    switch (created.kind) {
      case 'created':
        return created.job;
      case 'too_many':
        throw new CapabilityError('TooManyJobs', `Cannot schedule it: this agent has ${created.jobs} jobs, the limit is ${created.limit}`, {
          context: { jobs: created.jobs, limit: created.limit },
        });
      case 'too_large':
        throw new CapabilityError('SchedulerError', `Cannot schedule it: its arguments have more than ${created.limitBytes} bytes`);
      default:
        created satisfies never;
        throw new Error('A job was made to no known end');
    }
  };

  return {
    'scheduler.cron_create': async ({ capability, inputs, schedule, timezone, description }, context) => {
      const cron = readCron(String(schedule), String(timezone));
      const nextAt = nextRun(cron, now());
      if (nextAt === undefined)
        throw new CapabilityError('InvalidCronExpression', `Cannot schedule at ${cron.pattern}: there is no such time`);
      const job = await create(context, String(capability), inputs as JsonObject, { cron, nextAt, description: String(description) }); // The definition has checked it.
      return { output: { cron_id: job.id, schedule: cron.pattern, next_run: isoOf(nextAt), capability: job.capability } };
    },

    'scheduler.cron_list': async (_, { mine, actor, callId }) => {
      const found = calls().list(actor);
      // An earlier process of the agent may have written them.
      await mine.taints.add(actor.pid, mergeLabels(...found.map(({ taint }) => taint)) ?? [], callId);
      const jobs = found.map((job) => toOutput(job, capabilities().find(job.capability)));
      return { output: { jobs, total: jobs.length } };
    },

    'scheduler.cron_delete': async ({ cron_id: id }, { actor }) => ({
      output: { deleted: await calls().delete(actor, String(id)), cron_id: String(id) },
    }),

    'scheduler.delay': async ({ capability, inputs, delay_seconds: delay, run_at: at, description }, context) => {
      if ((delay === undefined) === (at === undefined))
        throw new CapabilityError('InvalidInput', 'Give either delay_seconds or run_at', { context: { field: 'delay_seconds' } });
      const nextAt = typeof delay === 'number' ? now() + Math.round(delay * 1_000) : Date.parse(String(at));
      const job = await create(context, String(capability), inputs as JsonObject, {
        cron: undefined,
        nextAt,
        description: String(description),
      }); // As above.
      return { output: { cron_id: job.id, run_at: isoOf(nextAt), capability: job.capability } };
    },
  };
}

/** Five fields: jobs by the second would be a flood. */
function readCron(pattern: string, zone: string): { readonly pattern: string; readonly zone: string } {
  try {
    if (pattern.trim().split(/ +/).length > 5)
      throw new CapabilityError('InvalidCronExpression', `Cannot schedule at ${pattern}: it has more than five fields`);
    return checkCron({ pattern, zone });
  } catch (error) {
    if (isFault(error)) throw new CapabilityError('InvalidCronExpression', error.message, { cause: error });
    throw error;
  }
}

/** Its arguments as they are recorded anywhere else: without what the capability, if it is still there, holds for a secret. */
function toOutput({ id, capability, inputs: kept, cron, nextAt, description, createdAt }: Job, known: Capability | undefined) {
  const inputs = known === undefined ? {} : known.redact(kept);
  const times = { schedule: cron?.pattern ?? null, next_run: isoOf(nextAt), created_at: isoOf(createdAt) };
  return { cron_id: id, capability, inputs, ...times, description, enabled: true };
}
