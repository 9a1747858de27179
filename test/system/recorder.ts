import type { ControlReply, EmulatedUsbDevice, UsbSetup } from '../../hardware/emulated/usb-device.ts';

/** What a client asked of a device, in order. */
export type Asked =
  | {
      readonly kind: 'control';
      readonly requestType: number;
      readonly request: number;
      readonly value: number;
      readonly index: number;
      readonly length: number;
      /** OUT: what was sent, hexadecimal; IN: empty. */
      readonly data: string;
      readonly stall?: true;
    }
  | { readonly kind: 'in' | 'out'; readonly endpoint: number; readonly bytes: number };

/** Stands before a device and writes down what comes; what was sent by bulk OUT is kept whole. */
export class RecordedDevice implements EmulatedUsbDevice {
  readonly asked: Asked[] = [];
  readonly sent: { readonly endpoint: number; readonly data: Uint8Array }[] = [];
  private readonly device: EmulatedUsbDevice;

  /** All that was sent, to whichever endpoint. */
  static bytesOf(sent: readonly { readonly data: Uint8Array }[]): Buffer {
    return Buffer.concat(sent.map(({ data }) => data));
  }

  constructor(device: EmulatedUsbDevice) {
    this.device = device;
  }

  get descriptors() {
    return this.device.descriptors;
  }

  async control(setup: UsbSetup, data: Uint8Array): Promise<ControlReply> {
    const { requestType, request, value, index, length } = setup;
    const hex = Buffer.from(data).toString('hex');
    const entry = { kind: 'control', requestType, request, value, index, length, data: hex } as const;
    this.asked.push(entry);
    const reply = await this.device.control(setup, data);
    const at = this.asked.indexOf(entry); // the owner may have taken the list away
    if (reply === 'stall' && at >= 0) this.asked[at] = { ...entry, stall: true };
    return reply;
  }

  bulkIn(endpoint: number, length: number, signal: AbortSignal): Promise<Uint8Array | 'stall'> {
    this.asked.push({ kind: 'in', endpoint, bytes: length });
    return this.device.bulkIn(endpoint, length, signal);
  }

  bulkOut(endpoint: number, data: Uint8Array, signal: AbortSignal): Promise<'ok' | 'stall'> {
    this.asked.push({ kind: 'out', endpoint, bytes: data.length });
    this.sent.push({ endpoint, data: data.slice() });
    return this.device.bulkOut(endpoint, data, signal);
  }

  reset(): void {
    this.device.reset();
  }

  unplug(): void {
    this.device.unplug();
  }

  plug(): void {
    this.device.plug();
  }

  onConnection(listener: (plugged: boolean) => void): () => void {
    return this.device.onConnection?.(listener) ?? (() => {});
  }
}
