/** Where messages for a client go: a stream of events, or a connection of messages. */
export interface MessageStream {
  /** False when it was dropped: only what may be dropped is, when the other end does not take what was sent before. */
  send(text: string, options: { readonly mayDrop: boolean }): boolean;
}
