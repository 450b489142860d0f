/** Stands in for the network of a program: what it sends to a maker of models goes to a server of the test. */
const direct = globalThis.fetch;
globalThis.fetch = (input, init) => direct(String(input).replace('https://api.anthropic.com/v1', process.env.ANTHROPIC_TEST_URL), init);
