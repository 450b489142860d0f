/** Says no inside a worker thread, with the type of an error that definitions name; outside it becomes a `CapabilityError`. */
export class TaskRefusal extends Error {
  override readonly name = 'TaskRefusal';
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}
