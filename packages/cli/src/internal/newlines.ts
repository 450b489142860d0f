/**
 * Keeps line ends what they are on their way through two terminals. The command's own terminal has made `\r\n` of its newlines already, or a
 * full-screen program has told it not to. Ours makes `\r\n` of every `\n` still: Node's raw mode leaves that on, and offers no other. So
 * `\r\n` is sent as `\n`, and a lone `\n`, which means one line down in the same column, as a vertical tab, which terminals take for just that.
 */
const CR = 0x0d;
const LF = 0x0a;
const VT = 0x0b;

export class NewlineKeeper {
  /** The last byte of the chunk before. */
  #last = 0;

  translate(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const before = this.#last;
    this.#last = chunk.at(-1) ?? 0; // Not empty.
    if (!chunk.includes(LF)) return chunk;
    const kept = new Uint8Array(chunk.length);
    let length = 0;
    for (const [index, byte] of chunk.entries()) {
      const previous = index === 0 ? before : chunk[index - 1];
      if (byte !== LF) kept[length++] = byte;
      else if (previous !== CR) kept[length++] = VT;
      else kept[index === 0 ? length++ : length - 1] = LF; // In place of the carriage return, unless that has been sent.
    }
    return kept.subarray(0, length);
  }
}
