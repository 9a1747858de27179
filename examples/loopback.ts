/**
 * The library in one page: a photo through modem and channel, in process, without radios or files.
 *
 *     node --import tsx examples/loopback.ts [PHOTO] [SNR_DB]
 */
import {
  buildChannel,
  ClassicalCodec,
  countedRe,
  loadDemoPhoto,
  loadImage,
  measureQuality,
  noiseVarianceFor,
  numerology,
  Receiver,
  TRANSMIT_RMS,
  Transmitter,
} from '../src/index.ts';

const [path, snrText = '15'] = process.argv.slice(2);
const photo = path ? await loadImage(path) : await loadDemoPhoto();
const n = numerology(25);
const codec = new ClassicalCodec();
const transmitter = new Transmitter({ numerology: n, codec });
const receiver = new Receiver({ numerology: n, codecs: [codec] });
const noiseVariance = noiseVarianceFor({
  snrDb: Number(snrText),
  signalPower: TRANSMIT_RMS ** 2,
  fftSize: n.fftSize,
  occupiedCarriers: n.nCarriers,
  modemRateHz: n.sampleRateHz,
});
const channel = buildChannel({ rateHz: n.sampleRateHz, noiseVariance, cfoHz: 1500, startDelaySamples: 40.3, seed: 1 });

/** Sends bursts with a millisecond of silence around them and hands what the receiver says back to the transmitter. */
function exchange(bursts: readonly { samples: Float32Array }[]): void {
  const silence = new Float32Array(2 * Math.round(n.sampleRateHz / 1000));
  for (const samples of [silence, ...bursts.map((b) => b.samples), silence, silence]) {
    for (const event of receiver.push(channel.process(samples))) {
      if (event.type !== 'burst') continue;
      if (event.use === 'sounding') transmitter.takeReport(event.csi, 0);
      if (event.ack) transmitter.takeAck(event.ack);
    }
  }
}

exchange([transmitter.sounding()]);
const budget = (photo.width * photo.height * 3) / 16; // CBR 1/16
exchange((await transmitter.send(photo, budget, 0.02)).bursts);
for (let again = transmitter.repeat(0); again.length > 0; again = transmitter.repeat(0)) exchange(again);

const [picture] = receiver.received;
const decoded = picture && (await receiver.picture(picture));
const { psnrDb } = measureQuality({ reference: photo, received: decoded?.image });
const cbr = countedRe(transmitter.budget) / (3 * photo.width * photo.height);
const state = decoded?.complete ? 'whole' : (decoded?.note ?? 'not found');
console.log(
  `${photo.width}x${photo.height}, ${snrText} dB AWGN, CBR ${cbr.toFixed(4)}: ${state}, PSNR ${psnrDb?.toFixed(2)} dB`,
);
