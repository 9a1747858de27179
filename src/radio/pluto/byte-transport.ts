/** A two-way stream of bytes to an IIOD server: a TCP connection, or a couple of USB pipes. */
export interface ByteTransport {
  /**
   * Resolves when all bytes were handed over. IiodError: gone, or timeout after `timeoutMs`; the stream is of no use after either.
   */
  send(data: Uint8Array, timeoutMs: number): Promise<void>;
  /**
   * At least one byte, at most `into.length`, and never waits for more than the peer has to say: returns what is there. One call at a
   * time. IiodError: gone when the peer has closed, or timeout.
   */
  receive(into: Uint8Array, timeoutMs: number): Promise<number>;
  /** Pending calls end with gone. Safe to call twice; never rejects. */
  close(): Promise<void>;
  /**
   * Hands bytes to the system at once, without waiting, for the end of the process; false where this transport has no such way.
   */
  sendNow(data: Uint8Array): boolean;
  describe(): string;
}

/** Where connections to one server come from: each call gives a new one. */
export interface Connector {
  connect(timeoutMs: number): Promise<ByteTransport>;
  /** Lets go of what all connections share. Safe to call twice. */
  close(): Promise<void>;
  describe(): string;
}
