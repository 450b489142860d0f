/** True, false or unknown, as numbers: "and" is the least, "or" the greatest, "not" the mirror image. */
export const FALSE = 0;
export const UNKNOWN = 1;
export const TRUE = 2;
export type Truth = typeof FALSE | typeof UNKNOWN | typeof TRUE;

/** How many values have to satisfy a condition. */
export type Quantifier = 'every' | 'one';

export function truthOf(fact: boolean): Truth {
  return fact ? TRUE : FALSE;
}

export function not(truth: Truth): Truth {
  return (TRUE - truth) as Truth; // The mirror image of one of three is one of them.
}

export function both(one: Truth, other: Truth): Truth {
  return one < other ? one : other;
}

export function either(one: Truth, other: Truth): Truth {
  return one > other ? one : other;
}

/** What cannot be looked at in bounded time: it never lets pass and always holds back. */
export function against(quantifier: Quantifier): Truth {
  return quantifier === 'every' ? FALSE : TRUE;
}

/** Of no values nothing is known. */
export function quantify<Value>(values: readonly Value[], quantifier: Quantifier, test: (value: Value) => Truth): Truth {
  if (values.length === 0) return UNKNOWN;
  return quantifier === 'every' ? every(values, test) : one(values, test);
}

function every<Value>(values: readonly Value[], test: (value: Value) => Truth): Truth {
  let truth: Truth = TRUE;
  for (const value of values) {
    truth = both(truth, test(value));
    if (truth === FALSE) break;
  }
  return truth;
}

function one<Value>(values: readonly Value[], test: (value: Value) => Truth): Truth {
  let truth: Truth = FALSE;
  for (const value of values) {
    truth = either(truth, test(value));
    if (truth === TRUE) break;
  }
  return truth;
}
