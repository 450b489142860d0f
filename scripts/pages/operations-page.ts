/** `docs/operations.md`: every operation and every record of the contract, from the document of OpenAPI and the table that the tests of access hold. */
import { FAULTS } from '@warren/protocol';
import { HTTP_ROUTES, OPERATIONS, type OperationName } from '@warren/protocol/contract';
import { cell, fieldSchema, type Schema, schemaText } from './schema-text.ts';

export type OpenApiDocument = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
};

/** As `who-may-call.json` has it: the kinds of callers that are answered. */
export type WhoMayCall = Readonly<Record<string, string>>;

type Described = {
  readonly parameters?: readonly { readonly name?: string; readonly required?: boolean; readonly schema?: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>>;
};

const MEMBERS = ['viewer', 'approver', 'admin'] as const;
const HEAD = `# Operations

Written from the contract: what each operation takes, answers and may fail with. [The protocol](protocol.md) says how to ask; \`warren kernel methods NAME\` says the same of one, and
[openapi.json](openapi.json) for programs. A parameter with \`?\` may be left out, or be null. Besides the faults named here any operation may answer \`invalid_argument\`, \`unauthenticated\`,
\`permission_denied\`, \`rate_limited\`, \`aborted\` and \`internal\`. Members are named by the least role; a process, and an agent, may only for itself what has a \`pid\`, unless it says otherwise.
What a grant opens further (\`sub_agent\`: \`kernel.agent.create\`) is not counted.
`;

export function operationsPage(document: OpenApiDocument, who: WhoMayCall): string {
  const names = Object.keys(OPERATIONS) as OperationName[]; // Object.keys forgets them.
  const groups = Map.groupBy(names, (name) => name.slice(0, name.lastIndexOf('.')));
  const operations = [...groups].map(([group, list]) => `## ${group}\n\n${list.map((name) => section(name, document, who)).join('\n')}`);
  const records = Object.entries(document.components.schemas).map(([name, schema]) => recordSection(name, schema as Schema)); // Of the document.
  return `${HEAD}\n${operations.join('\n')}\n## Records\n\n${records.join('\n')}`;
}

function section(name: OperationName, document: OpenApiDocument, who: WhoMayCall): string {
  const { summary, tier, effect, faults } = OPERATIONS[name];
  const { method, path, status } = HTTP_ROUTES[name];
  const described = document.paths[path]?.[method.toLowerCase()] as Described; // Every operation is in it.
  const answer = described.responses[String(status)]?.content?.['application/json']?.schema ?? {};
  const head = `### ${name}\n\n${summary}.\n\n\`${method} ${path}\` · ${effect} · ${tier} · ${callers(who[name] ?? '')}\n`;
  const failing = faults.length === 0 ? '' : `\nFaults: ${faults.map((fault) => `\`${fault}\``).join(', ')}.\n`;
  return `${head}${parametersTable(described)}\nAnswers ${cell(schemaText(answer))}\n${failing}`;
}

function parametersTable({ parameters = [], requestBody }: Described): string {
  const { properties = {}, required = [] } = requestBody?.content['application/json']?.schema ?? {};
  const fields = [
    ...parameters.flatMap(({ name, required: isRequired = false, schema = {} }) =>
      name === undefined ? [] : [{ name, isRequired, schema }],
    ),
    ...Object.entries(properties).map(([name, schema]) => ({ name, isRequired: required.includes(name), schema })),
  ];
  if (fields.length === 0) return '';
  const rows = fields.map(({ name, isRequired, schema }) => {
    const otherwise = schema.default === undefined ? '' : `; default \`${JSON.stringify(schema.default)}\``;
    return `| \`${name}\`${isRequired ? '' : '?'} | ${cell(schemaText(isRequired ? schema : fieldSchema(schema)) + otherwise)} |`;
  });
  return `\n| parameter | |\n|---|---|\n${rows.join('\n')}\n`;
}

function recordSection(name: string, schema: Schema): string {
  if (schema.properties === undefined) return `### ${name}\n\n${cell(schemaText(schema))}\n`;
  const rows = Object.entries(schema.properties).map(([field, each]) => {
    const mark = schema.required?.includes(field) === true ? '' : '?';
    return `| \`${field}\`${mark} | ${cell(schemaText(each))}${each.description === undefined ? '' : ` · ${cell(each.description)}`} |`;
  });
  return `### ${name}\n\n| field | |\n|---|---|\n${rows.join('\n')}\n`;
}

/** The kinds, and of members the least role; whoever is above is answered, too. */
export function callers(text: string): string {
  const kinds = text.split(', ');
  const least = MEMBERS.find((role) => kinds.includes(role));
  const named = [
    ...(kinds.includes('process') ? [kinds.includes('process of an agent') ? 'processes' : 'processes without an agent'] : []),
    ...(kinds.includes('agent') ? ['agents'] : []),
    ...(least === undefined ? [] : [`members (${least})`]),
    ...(kinds.includes('operator') ? ['operators'] : []),
  ];
  return named.join(', ');
}

/** A line for each operation. */
export function operationsTable(who: WhoMayCall): string {
  const names = Object.keys(OPERATIONS) as OperationName[]; // As above.
  const rows = names.map((name) => {
    const { method, path } = HTTP_ROUTES[name];
    const anchor = name.replace(/[^a-z0-9_]/g, '');
    return `| [${name}](operations.md#${anchor}) | \`${method} ${path}\` | ${OPERATIONS[name].effect} | ${callers(who[name] ?? '')} |`;
  });
  return `| operation | over HTTP | effect | who may |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

/** A line for each fault. */
export function faultsTable(): string {
  const rows = Object.entries(FAULTS).map(([code, { rpc, http, retry }]) => `| \`${code}\` | ${rpc} | ${http} | ${retry ? 'yes' : ''} |`);
  return `| code | JSON-RPC | HTTP | may succeed later |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}
