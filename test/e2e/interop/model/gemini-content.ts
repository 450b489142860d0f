import { type Dialect, objectsIn, textIn } from './dialect.ts';

export const geminiContent: Dialect = {
  name: 'Gemini',
  asksAt: (path) => /:(?:streamG|g)enerateContent$/.test(path),
  toolsOf: ({ tools }) =>
    objectsIn(tools).flatMap(({ functionDeclarations }) => objectsIn(functionDeclarations).map(({ name }) => ({ name: textIn(name) }))),
  resultsOf: ({ contents }) =>
    objectsIn(contents)
      .flatMap(({ parts }) => objectsIn(parts))
      .filter(({ functionResponse }) => functionResponse !== undefined)
      .map(({ functionResponse }) => JSON.stringify(functionResponse)),
  eventsOf: (turn) => {
    const part = 'call' in turn ? { functionCall: { name: turn.call.name, args: turn.input } } : { text: turn.say };
    return [
      {
        candidates: [{ index: 0, content: { role: 'model', parts: [part] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
      },
    ];
  },
};
