/** Throws an error when a line is longer than `bytesMax`; what comes after the last end of line is a line, too. */
export async function* readLines(pieces: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<string, void, undefined> {
  const held: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(0x0a); end >= 0; end = piece.indexOf(0x0a, from)) {
      held.push(piece.subarray(from, end));
      yield toText(held);
      bytes = 0;
      from = end + 1;
    }
    held.push(piece.subarray(from));
    bytes += piece.length - from;
    if (bytes > bytesMax) throw new Error(`Cannot read the input: a line is longer than ${bytesMax} bytes`);
  }
  const last = toText(held);
  if (last !== '') yield last;
}

function toText(held: Uint8Array[]): string {
  return Buffer.concat(held.splice(0)).toString('utf8').replace(/\r$/, '');
}
