import type { Server, Socket } from 'node:net';
import type { UsbPort } from '../usb-port.ts';
import { type ListenAddress, listen, stopListening } from './listen.ts';
import { UsbRedirConnection } from './usbredir-connection.ts';

/**
 * A usbredir peer for one board: QEMU's `-chardev socket,id=r0,path=PATH -device usb-redir,chardev=r0` connects to it and its guest
 * finds the board on its bus. One host at a time; while another has the board, a connection is ended at once.
 */
export class UsbRedirServer {
  /** "unix:PATH" or "127.0.0.1:PORT". */
  readonly address: string;
  private readonly server: Server;
  private readonly sockets: Set<Socket>;

  private constructor(address: string, server: Server, sockets: Set<Socket>) {
    this.address = address;
    this.server = server;
    this.sockets = sockets;
  }

  /**
   * @param onProblem hears what a client or the model did wrong, one line each
   */
  static async listen(options: {
    port: UsbPort;
    at: ListenAddress;
    onProblem?: (text: string) => void;
  }): Promise<UsbRedirServer> {
    const { port, onProblem = () => {} } = options;
    const sockets = new Set<Socket>();
    const { server, address } = await listen(options.at, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      new UsbRedirConnection(socket, port, onProblem);
    });
    return new UsbRedirServer(address, server, sockets);
  }

  /** Ends the server; the host loses its board. */
  close(): Promise<void> {
    return stopListening(this.server, this.sockets);
  }
}
