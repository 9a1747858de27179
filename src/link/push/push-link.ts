/**
 * What a push needs of a transport: messages both ways, whole, in order, each once, from an end that has proved that it holds the
 * token. A connection that breaks is the transport's end; a push goes on over another one.
 */
export interface PushLink {
  /** Resolves when there is room for another message. DeviceError once the connection is gone. */
  send(message: Uint8Array): Promise<void>;
  /** The next message of the other end, waiting for it; null once the other end has left. */
  receive(): Promise<Uint8Array | null>;
  /** Once `receive` has given null: whether the other end said that it leaves, as one does that has heard the verdict. */
  readonly left: boolean;
  close(): Promise<void>;
  describe(): string;
}
