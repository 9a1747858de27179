import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeOptions, senderCodec } from '../../src/experiment/config/link-codecs.ts';
import { resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { setupLink } from '../../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../../src/experiment/loopback/exchange.ts';
import { loadPhoto } from '../../src/experiment/run/photo.ts';
import { SCT, startNode } from '../sweep-nats/processes.ts';
import type { LinkFigures, RunFigures } from './report.ts';

/** The demo photo through the default link: bursts, and what is said back about them. */
export async function measureLink(): Promise<LinkFigures> {
  const config = resolveLinkConfig({ codec: 'integrated' });
  const { image } = await loadPhoto({ kind: 'demo' });
  const coding = await senderCodec(config, 'float');
  const exchange = new LoopbackExchange(config, setupLink(config, null, coding));
  const said: number[] = [];
  const { feedback } = exchange;
  const send = feedback.send.bind(feedback);
  feedback.send = (message, nowS) => {
    said.push(message.length);
    send(message, nowS);
  };
  await exchange.open();
  await exchange.sendPicture(image);
  await exchange.close();
  const { chain, trace } = exchange;
  const picture = chain.receiver.received.at(-1);
  if (!picture || !(await chain.receiver.picture(picture, decodeOptions(config))).decodable) {
    throw new Error('the demo photo did not arrive');
  }
  const bursts = trace.bursts.length;
  return {
    bursts,
    airS: chain.samples / config.rateHz,
    samples: chain.samples,
    messages: said.length,
    messagesPerBurst: said.length / bursts,
    meanMessageBytes: said.reduce((sum, n) => sum + n, 0) / said.length,
    largestMessageBytes: Math.max(...said),
  };
}

/** Bytes of a run directory as `sct loopback` leaves it, by kind. */
export async function measureRun(folder: string): Promise<RunFigures> {
  const { code, stderr } = await startNode([SCT, 'loopback', '--demo', '-o', 'run', '--json'], folder).ended;
  if (code !== 0) throw new Error(`sct loopback ended with ${code}: ${stderr.slice(-500)}`);
  const bytes = { captures: 0, pictures: 0, report: 0, records: 0 };
  const names = await readdir(join(folder, 'run'));
  for (const name of names) {
    const { size } = await stat(join(folder, 'run', name));
    if (name.endsWith('.sigmf-data')) bytes.captures += size;
    else if (name.endsWith('.png')) bytes.pictures += size;
    else if (name.endsWith('.html')) bytes.report += size;
    else bytes.records += size;
  }
  const all = bytes.captures + bytes.pictures + bytes.report + bytes.records;
  return { ...bytes, all, files: names.length };
}
