import type { Step } from './guest.ts';

/** Bytes that hackrf_transfer sends and iio_writedev writes: made on the host, checked on the host. */
export const TX_BYTES = 1_000_000;
export const RX_SAMPLES = 2_000_000;
export const IIO_SAMPLES = 16_384;
/** Samples of one of their buffers. */
export const IIO_BLOCK = 4096;

/** Carrier of the picture that is sent in the guest. */
export const LINK_HZ = 868.3e6;

/** The host puts a file of this name among the results where the picture is to be left out. */
export const TOO_SLOW = 'too-slow';

/** Least rate of a Pluto without its decimator is 2.083 Msps. */
export const PLUTO_RATE_HZ = 3e6;

const TRANSFER = 'timeout 200 hackrf_transfer -f 915000000 -s 8000000';

export interface GuestSteps {
  /** Where the second HackRF is exported on this machine. */
  readonly usbipPort: number;
  readonly repository: string;
  /** libiio's server. */
  readonly iiod: string;
  /** The boards between which a picture is sent, and the attenuation between them. */
  readonly link: { readonly tx: string; readonly rx: string; readonly lossDb: number };
}

/** Shell: waits until a command succeeds, two minutes at most; what is missing then the next command tells. */
const until = (command: string) => `for i in $(seq 600); do ${command} && break; sleep 0.2; done`;

/**
 * Shell: a client of hackrf-tools, which gives up where a second passes without a byte: on a busy machine it may, and then it is started
 * again, as a step of its own.
 */
const patient = (name: string, client: string) => `for i in 1 2 3 4; do
  ${client} 2>&1 | tee again.log; c=\${PIPESTATUS[0]}
  grep -q "any bytes for one second" again.log || break
  step ${name}
done; exit $c`;

/** What the guest does, in order; clients are Debian's, but for ours in `driver`, `usbipd`, `pluto`, `iiod` and `link`. */
export function guestSteps({ usbipPort, repository, iiod, link }: GuestSteps): Step[] {
  const driver = `timeout 200 node ${repository}/test/system/guest-driver.js`;
  return [
    { name: 'bus', commands: `${until('[ $(lsusb | grep -c -e 1d50:6089 -e 0456:b673) -ge 2 ]')}; lsusb -v` },
    { name: 'hackrf_info', commands: 'hackrf_info' },
    {
      name: 'receive',
      commands: patient('receive', `${TRANSFER} -r $RESULTS/rx.bin -n ${RX_SAMPLES} -l 16 -g 20 -a 0`),
    },
    { name: 'transmit', commands: patient('transmit', `${TRANSFER} -t $RESULTS/tx.bin -x 20 -a 0`) },
    { name: 'sweep', commands: 'timeout 200 hackrf_sweep -1 -f 100:200 -w 1000000 -l 16 -g 20' },
    { name: 'driver', commands: driver },
    {
      // The same board exported by Linux's own server: our USB/IP client against it.
      name: 'usbipd',
      commands: `usbipd -D -4 -t 3241
for d in /sys/bus/usb/devices/*-*; do [ "$(cat $d/idVendor 2>/dev/null)" = 1d50 ] && b=$(basename $d); done
usbip --tcp-port 3241 bind -b $b || exit 1
${until('usbip --tcp-port 3241 list -r 127.0.0.1 | grep -q 1d50:6089')}
${driver} 'hackrf?usbip=127.0.0.1:3241'; c=$?
usbip unbind -b $b; exit $c`,
    },
    {
      name: 'unplug',
      commands: `${TRANSFER} -r /dev/null > $RESULTS/unplug.log 2>&1 & t=$!
${until('grep -q MiB $RESULTS/unplug.log')}
echo 'guest: pull the cable' > /dev/console
wait $t; echo "hackrf_transfer ended with $?"
${until('! lsusb | grep -q 1d50:6089')}
echo 'guest: plug it in' > /dev/console
${until('lsusb | grep -q 1d50:6089')}
hackrf_info`,
    },
    { name: 'iio_info', commands: 'iio_info -S usb; iio_info -u usb:' },
    {
      name: 'iio_attr',
      commands:
        'iio_attr -u usb: -c ad9361-phy altvoltage0 frequency 915000000; iio_attr -u usb: -c ad9361-phy RX_LO frequency',
    },
    {
      name: 'iio_readdev',
      commands: `timeout 200 iio_readdev -u usb: -T 60000 -b ${IIO_BLOCK} -s ${IIO_SAMPLES} cf-ad9361-lpc > $RESULTS/iio-rx.bin`,
    },
    {
      name: 'iio_writedev',
      commands: `timeout 200 iio_writedev -u usb: -T 60000 -b ${IIO_BLOCK} -s ${IIO_SAMPLES} cf-ad9361-dds-core-lpc < $RESULTS/iio-tx.bin`,
    },
    { name: 'pluto', commands: `${driver} pluto:usb ${PLUTO_RATE_HZ}` },
    {
      // The same board again, libiio's own server and USB client between it and our driver.
      name: 'iiod',
      commands: `${iiod} -u usb: & p=$!
${until('iio_attr -u ip:127.0.0.1 -C hw_serial')}
${driver} pluto:ip:127.0.0.1 ${PLUTO_RATE_HZ}; c=$?
kill -9 $p; exit $c`,
    },
    {
      name: 'usbip',
      commands: `u="usbip --tcp-port ${usbipPort}"; $u list -r 10.0.2.2; $u attach -r 10.0.2.2 -b 1-1
${until('[ $(lsusb | grep -c 1d50:6089) -ge 2 ]')}
hackrf_info; usbip port`,
    },
    {
      // The least work for a guest without virtualisation: slowest rate, gains given, one sounding, nothing compiled beside what runs.
      name: 'link',
      commands: `[ -e $RESULTS/${TOO_SLOW} ] && exit 0
echo 'guest: boards for a picture' > /dev/console
${until(`[ $(grep -l -s -e ${link.tx.slice(-32)} -e ${link.rx.slice(-32)} /sys/bus/usb/devices/*/serial | wc -l) -ge 2 ]`)}
timeout 800 node --single-threaded ${repository}/bin/sct.js link $RESULTS/photo.png --tx '${link.tx}' --rx '${link.rx}' \
  --cabled ${link.lossDb} -f ${LINK_HZ} -s 2500000 --numerology 6 --tx-gain 40 --rx-gain 40 --soundings 1 --csi-delay 1 --max-csi-age 600000 \
  --codec classical --format jpeg --cbr 1/2 -o /tmp/run --json > $RESULTS/link.json`,
    },
  ];
}
