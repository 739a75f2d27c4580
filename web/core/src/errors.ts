/**
 * A refusal: why something is not accepted. `code` is the stable name that the Rust crates give the
 * same refusal, so that both can be compared; the message is for people and may change.
 */
export abstract class Refusal<Code extends string> extends Error {
  /** The stable name, equal to the Rust crates'. */
  readonly code: Code;

  constructor(code: Code, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}
