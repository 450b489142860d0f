/** What an OpenAPI document says can be asked, read from the document alone: it is what clients are made of. */

export type Schema = { readonly [keyword: string]: unknown } & {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly additionalProperties?: Schema | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
};

export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
};

/** An answer that is documented: where the schema of each content type stands. */
export type Documented = { readonly schemas: ReadonlyMap<string, string> };

export type Operation = {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  /** By status. */
  readonly answers: ReadonlyMap<number, Documented>;
};

export class OpenApi {
  readonly document: Schema;
  readonly operations: readonly Operation[];

  constructor(document: Schema) {
    this.document = document;
    const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Schema>>>>; // By the rules of OpenAPI, which another test holds it to.
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => this.#read(operation, path, method)),
    );
  }

  /** Those that are documented for a path, and for paths with a parameter where it has a word. */
  methodsAt(path: string): ReadonlySet<string> {
    const words = path.split('/');
    const isMeant = (template: readonly string[]): boolean =>
      template.length === words.length && template.every((part, at) => part === words[at] || part.startsWith('{'));
    return new Set(this.operations.filter((operation) => isMeant(operation.path.split('/'))).map(({ method }) => method));
  }

  /** The schema itself, where one refers to another. */
  follow<Found = Schema>(schema: Schema): Found {
    let found: unknown = schema;
    while (typeof found === 'object' && found !== null && '$ref' in found) found = this.#at(String(found.$ref));
    return found as Found; // Who asks knows what stands there.
  }

  #read(operation: Schema, path: string, method: string): Operation {
    const parameters = ((operation['parameters'] ?? []) as readonly Schema[]).map((each) => this.follow(each)); // As above.
    const body = operation['requestBody'] as Content | undefined; // As above.
    const answers = Object.entries(operation['responses'] as Readonly<Record<string, Schema>>).map(([status, response]) => {
      const place = response.$ref ?? `#/paths/${escaped(path)}/${method}/responses/${status}`;
      const { content = {} } = this.follow<Partial<Content>>(response);
      const schemas = Object.keys(content).map((type) => [type, `${place}/content/${escaped(type)}/schema`] as const);
      return [Number(status), { schemas: new Map(schemas) }] as const;
    });
    return {
      id: String(operation['operationId']),
      method: method.toUpperCase(),
      path,
      parameters: parameters.map((parameter) => readParameter(parameter)),
      body: body?.content['application/json']?.schema,
      answers: new Map(answers),
    };
  }

  #at(pointer: string): unknown {
    const names = pointer.split('/').slice(1);
    return names.reduce<unknown>(
      (place, name) => (place as Readonly<Record<string, unknown>>)[name.replaceAll('~1', '/').replaceAll('~0', '~')], // It refers to nothing that is not there.
      this.document,
    );
  }
}

type Content = { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };

function readParameter(parameter: Schema): Parameter {
  const { name, in: place, required = false, schema, content } = parameter as unknown as Parameter & Partial<Content>; // By the rules of OpenAPI.
  return { name, in: place, required, schema: schema ?? content?.['application/json']?.schema ?? {} };
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
