import type { ControlReply, EmulatedUsbDevice, UsbDescriptors, UsbSetup } from '../../usb-device.ts';
import { serveConsole } from '../console.ts';
import type { Iiod } from '../iiod/iiod.ts';
import {
  CONSOLE_COUPLE,
  CONSOLE_INTERFACE,
  CONSOLE_NOTIFY,
  IIO_COUPLES,
  IIO_INTERFACE,
  plutoDescriptors,
} from './descriptors.ts';
import { PipeCouple } from './pipe-couple.ts';

/** Requests of the IIO function (iiod/usbd.c), vendor requests to its interface without data. */
const IioRequest = { resetPipes: 0, openPipe: 1, closePipe: 2 } as const;
/** Requests of a serial line (USB PSTN 1.2 §6.3). */
const AcmRequest = { setLineCoding: 0x20, getLineCoding: 0x21, setControlLineState: 0x22, sendBreak: 0x23 } as const;
const VENDOR_OUT_INTERFACE = 0x41;
const CLASS_OUT_INTERFACE = 0x21;
const CLASS_IN_INTERFACE = 0xa1;
const LINE_CODING_BYTES = 7;

/** The Pluto's USB side: pipes to its IIO server, and a serial console. */
export class PlutoUsb implements EmulatedUsbDevice {
  readonly descriptors: UsbDescriptors;
  private readonly iiod: Iiod;
  private readonly pipes = IIO_COUPLES.map(() => new PipeCouple());
  private readonly console = new PipeCouple();
  /** 115200 baud, 8N1. */
  private lineCoding = Uint8Array.of(0x00, 0xc2, 0x01, 0x00, 0, 0, 8);

  constructor(iiod: Iiod) {
    this.iiod = iiod;
    this.descriptors = plutoDescriptors(iiod.board.serial);
    this.startConsole();
  }

  control({ requestType, request, value, index, length }: UsbSetup, data: Uint8Array): ControlReply {
    if (requestType === VENDOR_OUT_INTERFACE && index === IIO_INTERFACE && length === 0) {
      return this.iioRequest(request, value);
    }
    if (index !== CONSOLE_INTERFACE) return 'stall';
    if (requestType === CLASS_IN_INTERFACE && request === AcmRequest.getLineCoding) return this.lineCoding;
    if (requestType !== CLASS_OUT_INTERFACE) return 'stall';
    if (request === AcmRequest.setLineCoding && data.length === LINE_CODING_BYTES) {
      this.lineCoding = data.slice();
      return 'ok';
    }
    return (request === AcmRequest.setControlLineState || request === AcmRequest.sendBreak) && length === 0
      ? 'ok'
      : 'stall';
  }

  bulkIn(endpoint: number, length: number, signal: AbortSignal): Promise<Uint8Array | 'stall'> {
    if (endpoint === CONSOLE_NOTIFY) return aborted(signal);
    const couple = this.couple((one) => one.in === endpoint);
    return couple ? couple.bulkIn(length, signal) : Promise.resolve('stall');
  }

  bulkOut(endpoint: number, data: Uint8Array, signal: AbortSignal): Promise<'ok' | 'stall'> {
    const couple = this.couple((one) => one.out === endpoint);
    return couple ? couple.bulkOut(data, signal) : Promise.resolve('stall');
  }

  /** Pipes are closed, and with them the buffers that were opened through them. */
  reset(): void {
    for (const pipe of this.pipes) pipe.drop();
    this.console.drop();
    this.startConsole();
  }

  /** The board is powered through the cable. */
  unplug(): void {
    for (const pipe of this.pipes) pipe.drop();
    this.console.drop();
    this.iiod.powerOff();
  }

  plug(): void {
    this.iiod.powerOn();
    this.startConsole();
  }

  private iioRequest(request: number, pipe: number): ControlReply {
    if (request === IioRequest.resetPipes) {
      for (const one of this.pipes) one.close();
      return 'ok';
    }
    const couple = this.pipes[pipe];
    if (!couple) return 'stall';
    if (request === IioRequest.openPipe) void this.iiod.serve(couple.open());
    else if (request === IioRequest.closePipe) couple.close();
    else return 'stall';
    return 'ok';
  }

  private startConsole(): void {
    void serveConsole(this.iiod.board, this.console.open());
  }

  private couple(matches: (couple: { in: number; out: number }) => boolean): PipeCouple | undefined {
    if (matches(CONSOLE_COUPLE)) return this.console;
    return this.pipes[IIO_COUPLES.findIndex(matches)];
  }
}

/** A transfer that never gets data. */
function aborted(signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(new Uint8Array(0));
    else signal.addEventListener('abort', () => resolve(new Uint8Array(0)), { once: true });
  });
}
