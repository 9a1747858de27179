import type { Upconverter } from '../phy/frontend/converter.ts';
import type { Frontend } from '../phy/frontend/frontend.ts';
import type { SampleBlock, TxStream } from '../radio/radio.ts';
import type { LinkEvent, Receiver } from './receiver.ts';
import { RxBack } from './rx-back.ts';
import { RxFront } from './rx-front.ts';

export { IQ_WINDOW } from '../phy/frontend/converter.ts';

/** From bursts at the modem rate to a transmitter at the device rate. */
export class TxChain {
  private readonly upconverter: Upconverter;
  private readonly tx: TxStream;

  constructor(frontend: Frontend, tx: TxStream) {
    this.upconverter = frontend.upconverter();
    this.tx = tx;
  }

  /** Sends one burst; returns the device index of its first sample and its length in device samples. */
  async send(samples: Float32Array, atIndex?: number): Promise<{ index: number; samples: number }> {
    const { upconverter } = this;
    upconverter.reset();
    const tail = new Float32Array(2 * Math.ceil(upconverter.tailInputSamples));
    const main = upconverter.process(samples).slice();
    const rest = upconverter.process(tail);
    const out = new Float32Array(main.length + rest.length);
    out.set(main);
    out.set(rest, main.length);
    return this.tx.write(out, atIndex);
  }
}

/** Both halves of a receiver in one thread, one after the other: what it gives depends on nothing but the samples. */
export class RxChain extends RxBack {
  private readonly front: RxFront;
  private events: LinkEvent[] = [];

  constructor(frontend: Frontend, receiver: Receiver) {
    super(frontend, receiver);
    this.front = new RxFront(frontend, receiver.phy, (record) => {
      const event = this.take(record);
      if (event) this.events.push(event);
    });
  }

  /** Takes the next block of a stream. */
  push(block: SampleBlock): LinkEvent[] {
    this.front.push(block);
    return this.told();
  }

  /** The stream ended: what is left is processed and a burst in progress decoded as far as it goes. */
  flush(): LinkEvent[] {
    this.front.flush();
    return this.told();
  }

  private told(): LinkEvent[] {
    this.front.progress();
    const { events } = this;
    this.events = [];
    return events;
  }
}
