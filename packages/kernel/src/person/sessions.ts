/** Sessions: the tokens people sign in for. They are listed and revoked as any other, and end with the person. */
import type { TokenRecord } from '../token/tokens.ts';
import type { PersonRecord } from './people.ts';

export interface Sessions {
  /**
   * For somebody who has just shown who it is; `person` is as that was checked. Twelve hours, and with use up to seven days. Of more than 32
   * sessions of one person the oldest end. Undefined when the person was changed, disabled or deleted meanwhile. Faults: those of
   * `tokens.create`.
   */
  open(person: PersonRecord): Promise<{ readonly token: string; readonly record: TokenRecord } | undefined>;
  /** When it is used: at most once an hour its end is moved to twelve hours from now. Says when it ends; undefined for what is no session. */
  use(record: TokenRecord): Promise<number | undefined>;
}
