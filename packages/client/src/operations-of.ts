/** Operations as methods: `operationsOf(client).agent.list({})` is `client.call('agent.list', {})`. All of it is types but for the few lines at the end. */
import type { OperationName, ParamsInput, Result } from '@warren/protocol/contract';
import type { CallOptions, Client } from './client.ts';

/** What is called without parameters where none is required. */
type Call<Name extends OperationName> =
  Record<never, never> extends ParamsInput<Name>
    ? (params?: ParamsInput<Name>, options?: CallOptions) => Promise<Result<Name>>
    : (params: ParamsInput<Name>, options?: CallOptions) => Promise<Result<Name>>;

type Word<Rest extends string> = Rest extends `${infer First}.${string}` ? First : Rest;

/** The operations whose names begin with `Prefix`, by the next word of their names. */
export type Operations<Prefix extends string = ''> = {
  readonly [Name in OperationName as Name extends `${Prefix}${infer Rest}` ? Word<Rest> : never]: Name extends `${Prefix}${infer Rest}`
    ? Rest extends `${string}.${string}`
      ? Operations<`${Prefix}${Word<Rest>}.`>
      : Call<Name>
    : never;
};

export function operationsOf(client: Pick<Client, 'call'>): Operations {
  return named(client, '') as Operations; // The names are those of the contract, and it is the daemon that knows them.
}

function named(client: Pick<Client, 'call'>, name: string): unknown {
  const call = (params: never = {} as never, options?: CallOptions): unknown => client.call(name as OperationName, params, options); // As above.
  return new Proxy(call, {
    // A promise would be taken for one that is not there yet.
    get: (_, word) => (typeof word === 'symbol' || word === 'then' ? undefined : named(client, name === '' ? word : `${name}.${word}`)),
  });
}
