import type { Server, Socket } from 'node:net';
import { type ListenAddress, listen, stopListening } from './listen.ts';
import { UsbIpConnection } from './usbip-connection.ts';
import { busNumbers, type UsbIpBoard } from './usbip-wire.ts';

export type { UsbIpBoard } from './usbip-wire.ts';

/**
 * A USB/IP server: the boards can be imported by Linux (`usbip attach`) and by our own drivers (`usbip=` in a radio's URI). There
 * is no authentication in USB/IP; listen to this machine alone, or to a network that is trusted.
 */
export class UsbIpServer {
  /** "127.0.0.1:3240" or "unix:PATH". */
  readonly address: string;
  private readonly server: Server;
  private readonly sockets: Set<Socket>;

  private constructor(address: string, server: Server, sockets: Set<Socket>) {
    this.address = address;
    this.server = server;
    this.sockets = sockets;
  }

  /**
   * @param onProblem hears what a client or a model did wrong, one line each
   */
  static async listen(options: {
    boards: readonly UsbIpBoard[];
    at: ListenAddress;
    onProblem?: (text: string) => void;
  }): Promise<UsbIpServer> {
    const { boards, onProblem = () => {} } = options;
    for (const { busId } of boards) busNumbers(busId);
    if (new Set(boards.map((b) => b.busId)).size !== boards.length) throw new Error('two boards of one bus id');
    const sockets = new Set<Socket>();
    const { server, address } = await listen(options.at, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      new UsbIpConnection(socket, boards, onProblem);
    });
    return new UsbIpServer(address, server, sockets);
  }

  /** Ends the server; importers lose their boards. */
  close(): Promise<void> {
    return stopListening(this.server, this.sockets);
  }
}
