import type { Duplex } from 'node:stream';
import { InstrumentError } from './instrument-error.ts';

const OPEN_TIMEOUT_MS = 5000;

/**
 * Opens a serial port, 8 data bits, no parity, one stop bit, for this process alone. The library (npm serialport) is loaded here and only here, so that without it
 * everything else works. InstrumentError: missing, permission, busy, timeout, no-library.
 */
export async function openSerialPort(path: string, baudRate: number): Promise<Duplex> {
  const { SerialPort } = await loadLibrary();
  return new Promise((resolve, reject) => {
    let settled = false;
    const port = new SerialPort({
      path,
      baudRate,
      dataBits: 8,
      parity: 'none',
      stopBits: 1,
      lock: true,
      autoOpen: false,
    });
    const settle = (act: () => void) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      act();
    };
    const timer = setTimeout(
      () => settle(() => reject(new InstrumentError('timeout', `${path}: not open after ${OPEN_TIMEOUT_MS} ms`))),
      OPEN_TIMEOUT_MS,
    );
    // The library keeps the port open when its stream is destroyed; here destroying closes it.
    port._destroy = (error, done) => {
      if (port.isOpen && !port.closing) port.close(() => done(error));
      else done(error);
    };
    // A port that opens after it was given up is closed again; its errors have nobody to go to.
    port.on('error', () => {});
    port.open((error) => {
      if (settled) port.destroy();
      else settle(() => (error ? reject(openError(path, error)) : resolve(port)));
    });
  });
}

/** What stands behind a failed open, from the texts of the library's bindings. */
export function openError(path: string, error: Error): InstrumentError {
  const text = error.message;
  if (/no such file|cannot find|ENOENT|file not found/i.test(text)) {
    return new InstrumentError('missing', `${path}: no such port`, 'plugged in? ls /dev/ttyUSB* /dev/ttyACM*');
  }
  if (/permission denied|access denied|EACCES|EPERM/i.test(text)) {
    return new InstrumentError(
      'permission',
      `${path}: no permission`,
      'join the group that owns the port (ls -l shows it: dialout or uucp) and log in again',
    );
  }
  if (/cannot lock|resource busy|EBUSY|access is denied/i.test(text)) {
    return new InstrumentError('busy', `${path}: in use by another program`);
  }
  if (/inappropriate ioctl|ENOTTY/i.test(text)) return new InstrumentError('missing', `${path}: not a serial port`);
  return new InstrumentError('gone', `${path}: ${text.slice(0, 200)}`);
}

async function loadLibrary(): Promise<typeof import('serialport')> {
  try {
    return await import('serialport');
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new InstrumentError(
      'no-library',
      `the serial library cannot be loaded: ${text.split('\n')[0].slice(0, 200)}`,
      'npm ci in the folder of sct installs it; everything without serial instruments works',
    );
  }
}
