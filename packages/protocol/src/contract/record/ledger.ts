/** Budgets on the wire. */
import { z } from 'zod';
import { int, share } from '../value/number.ts';
import { word } from '../value/text.ts';

export const breachPolicy = z.enum(['suspend', 'kill', 'deny']);

const processAccount = z.object({ kind: z.literal('process'), pid: int });
const agentAccount = z.object({ kind: z.literal('agent'), agent: word });

const workspaceAccount = z.object({ kind: z.literal('workspace') });

/** Whose budget it is. */
export const account = z.discriminatedUnion('kind', [processAccount, agentAccount, workspaceAccount]);

/** The same, as a parameter. */
export const askedAccount = z.discriminatedUnion('kind', [processAccount.strict(), agentAccount.strict(), workspaceAccount.strict()]);

/** As a parameter, of those that a workspace gives out itself. */
export const givenAccount = z.discriminatedUnion('kind', [processAccount.strict(), agentAccount.strict()]);

const amounts = {
  dim: word,
  used: int,
  /** Promised to calls that are under way. */
  reserved: int,
  granted: int,
  /** A share of `granted`. */
  warn_at: share,
  on_breach: breachPolicy,
};

/** The budget of a process in one dimension. */
export const ledgerEntry = z.object({
  pid: int,
  ...amounts,
  /** The same as `granted`. */
  hard_limit: int,
});

/** The budget of an account in one dimension. */
export const accountEntry = z.object({ account, ...amounts });

export type Account = z.output<typeof account>;
export type LedgerEntry = z.output<typeof ledgerEntry>;
export type AccountEntry = z.output<typeof accountEntry>;
