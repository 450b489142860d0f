/** JSON as text that may say more than values can: numbers no number holds, keys that come twice, and what is only known when it is sent. */

export type Json = string | number | boolean | null | readonly Json[] | Fields | Raw | Known;

/** In their order, and also twice. */
export class Fields {
  readonly entries: readonly (readonly [string, Json])[];

  constructor(entries: readonly (readonly [string, Json])[]) {
    this.entries = entries;
  }
}

/** Stands in the text as it is. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Something by this name that an earlier answer told of, or else the other. */
export class Known {
  readonly name: string;
  readonly pick: number;
  readonly otherwise: Json;

  constructor(name: string, pick: number, otherwise: Json) {
    this.name = name;
    this.pick = pick;
    this.otherwise = otherwise;
  }
}

export type FindKnown = (known: Known) => Json;

export function toText(json: Json, find: FindKnown): string {
  if (json instanceof Raw) return json.text;
  if (json instanceof Known) return toText(find(json), find);
  if (json instanceof Fields) return `{${json.entries.map(([key, value]) => `${JSON.stringify(key)}:${toText(value, find)}`).join(',')}}`;
  if (isList(json)) return `[${json.map((value) => toText(value, find)).join(',')}]`;
  return Object.is(json, -0) ? '-0' : JSON.stringify(json);
}

export function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}
