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
      /** OUT: what was sent; IN: what was answered; hexadecimal. */
      readonly data: string;
      readonly stall?: true;
    }
  | { readonly kind: 'in' | 'out'; readonly endpoint: number; readonly bytes: number };

/** Stands before a device and writes down what comes; what was sent by bulk OUT is kept whole. */
export class RecordedDevice implements EmulatedUsbDevice {
  readonly asked: Asked[] = [];
  readonly sent: Uint8Array[] = [];
  private readonly device: EmulatedUsbDevice;

  constructor(device: EmulatedUsbDevice) {
    this.device = device;
  }

  get descriptors() {
    return this.device.descriptors;
  }

  async control(setup: UsbSetup, data: Uint8Array): Promise<ControlReply> {
    const at = this.asked.length;
    const isIn = (setup.requestType & 0x80) !== 0;
    const entry = (bytes: Uint8Array): Asked => ({
      kind: 'control',
      ...setup,
      data: Buffer.from(bytes).toString('hex'),
    });
    this.asked.push(entry(data));
    const reply = await this.device.control(setup, data);
    if (isIn && typeof reply !== 'string') this.asked[at] = entry(reply.subarray(0, setup.length));
    if (reply === 'stall') this.asked[at] = { ...entry(data), stall: true } as Asked;
    return reply;
  }

  bulkIn(endpoint: number, length: number, signal: AbortSignal): Promise<Uint8Array | 'stall'> {
    this.asked.push({ kind: 'in', endpoint, bytes: length });
    return this.device.bulkIn(endpoint, length, signal);
  }

  bulkOut(endpoint: number, data: Uint8Array, signal: AbortSignal): Promise<'ok' | 'stall'> {
    this.asked.push({ kind: 'out', endpoint, bytes: data.length });
    this.sent.push(data.slice());
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
