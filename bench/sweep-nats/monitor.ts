/** What the server's monitoring port says (`nats-server -m PORT`), as far as it is measured here. */
export interface ServerCounters {
  readonly inMessages: number;
  readonly outMessages: number;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly connections: number;
  /** Of the store: what lies in it now. */
  readonly storedBytes: number;
  readonly storedMessages: number;
}

async function json(port: number, path: string): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${port}/${path}`);
  return (await answer.json()) as Record<string, unknown>;
}

export async function serverCounters(port: number): Promise<ServerCounters> {
  const [varz, jsz] = await Promise.all([json(port, 'varz'), json(port, 'jsz')]);
  const of = (from: Record<string, unknown>, key: string) => Number(from[key] ?? 0);
  return {
    inMessages: of(varz, 'in_msgs'),
    outMessages: of(varz, 'out_msgs'),
    inBytes: of(varz, 'in_bytes'),
    outBytes: of(varz, 'out_bytes'),
    connections: of(varz, 'connections'),
    storedBytes: of(jsz, 'bytes'),
    storedMessages: of(jsz, 'messages'),
  };
}

/** Bytes and messages of each stream now, by its name. */
export async function streamSizes(port: number): Promise<Map<string, { bytes: number; messages: number }>> {
  const jsz = (await json(port, 'jsz?streams=true')) as {
    account_details?: { stream_detail?: { name: string; state: { bytes: number; messages: number } }[] }[];
  };
  const streams = (jsz.account_details ?? []).flatMap(({ stream_detail }) => stream_detail ?? []);
  return new Map(streams.map(({ name, state }) => [name, { bytes: state.bytes, messages: state.messages }]));
}
