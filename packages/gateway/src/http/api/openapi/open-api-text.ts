import { createOpenApi } from './create-open-api.ts';

let text: string | undefined;

/** The document as it is sent. Made when somebody asks for the first time. */
export function openApiText(): string {
  text ??= JSON.stringify(createOpenApi());
  return text;
}
