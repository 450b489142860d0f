/** Puts a secret into a request: into one header, one parameter of the URL, or one field of the body. What the caller gave itself is never replaced. */
import { CapabilityError } from '../../capability/handler.ts';

export type Placement = {
  readonly type?: 'header' | 'query' | 'body' | undefined;
  readonly name?: string | undefined;
  readonly format?: string | undefined;
};

export type PlainRequest = {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
};

const SECRET = '{secret}';
const AUTHORIZATION = 'Authorization';

/** Throws `CapabilityError`, which says nothing of the secret. */
export function placeCredential(request: PlainRequest, { type = 'header', name, format }: Placement, secret: string): PlainRequest {
  switch (type) {
    case 'header': {
      const into = name ?? AUTHORIZATION;
      const isBearer = format === undefined && into.toLowerCase() === 'authorization';
      requireFree(
        Object.keys(request.headers).some((each) => each.toLowerCase() === into.toLowerCase()),
        `the header ${into}`,
      );
      return { ...request, headers: { ...request.headers, [into]: formatted(isBearer ? `Bearer ${SECRET}` : format, secret) } };
    }
    case 'query': {
      const into = requireName(name);
      const url = new URL(request.url);
      requireFree(url.searchParams.has(into), `the parameter ${into}`);
      const pair = `${encodeURIComponent(into)}=${encodeURIComponent(formatted(format, secret))}`;
      url.search += url.search === '' ? `?${pair}` : `&${pair}`;
      return { ...request, url: url.href };
    }
    case 'body':
      return withField(request, requireName(name), formatted(format, secret));
    default:
      return type satisfies never;
  }
}

function withField(request: PlainRequest, name: string, text: string): PlainRequest {
  if (request.method === 'GET' || request.method === 'HEAD') {
    throw new CapabilityError('InvalidMethod', `Cannot put the secret into the body: a ${request.method} has none`, {
      context: { method: request.method },
    });
  }
  const [, contentType] = Object.entries(request.headers).find(([each]) => each.toLowerCase() === 'content-type') ?? [];
  if (contentType !== undefined && /^application\/x-www-form-urlencoded\b/i.test(contentType)) {
    const form = new URLSearchParams(request.body ?? '');
    requireFree(form.has(name), `the field ${name} of the body`);
    form.append(name, text);
    return { ...request, body: form.toString() };
  }
  if (contentType !== undefined && !/^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType))
    throw invalid('content_type', 'the secret goes into a body of JSON or of a form, and content-type says that it is neither');
  const fields = objectOf(request.body);
  requireFree(Object.hasOwn(fields, name), `the field ${name} of the body`);
  const body = JSON.stringify(Object.fromEntries([...Object.entries(fields), [name, text]])); // Also where the name is `__proto__`.
  return {
    ...request,
    body,
    headers: contentType === undefined ? { ...request.headers, 'content-type': 'application/json' } : request.headers,
  };
}

function objectOf(body: string | undefined): object {
  try {
    const parsed: unknown = JSON.parse(body === undefined || body === '' ? '{}' : body);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    // Said below.
  }
  throw invalid('body', 'the secret goes into a field of the body, and the body is no object of JSON');
}

function formatted(format: string | undefined, secret: string): string {
  const parts = (format ?? SECRET).split(SECRET);
  if (parts.length === 2) return parts.join(secret);
  throw invalid('credential_placement.format', `it has ${SECRET} ${parts.length - 1} times, not once`);
}

function requireName(name: string | undefined): string {
  if (name !== undefined) return name;
  throw invalid('credential_placement.name', 'it is needed for a parameter or a field');
}

function requireFree(isTaken: boolean, what: string): void {
  if (isTaken) throw invalid('credential_placement.name', `${what} is there already`);
}

function invalid(field: string, why: string): CapabilityError {
  return new CapabilityError('InvalidInput', `Cannot send the request with the secret: ${why}`, { context: { field } });
}
