import type { Step } from './guest.ts';

/** Bytes that hackrf_transfer sends and iio_writedev writes: made on the host, checked on the host. */
export const TX_BYTES = 1_000_000;
export const RX_SAMPLES = 2_000_000;
export const IIO_SAMPLES = 16_384;
/** Samples of one of their buffers. */
export const IIO_BLOCK = 4096;

const TRANSFER = 'timeout 200 hackrf_transfer -f 915000000 -s 8000000';

/** What the guest does, in order; clients are Debian's, but for our driver in `driver` and `usbipd`. */
export function guestSteps(usbipPort: number, repository: string): Step[] {
  return [
    // Until the bus has found both boards.
    { name: 'bus', commands: 'for i in $(seq 100); do [ $(lsusb | wc -l) -ge 4 ] && break; sleep 0.2; done; lsusb -v' },
    { name: 'hackrf_info', commands: 'hackrf_info' },
    { name: 'receive', commands: `${TRANSFER} -r $RESULTS/rx.bin -n ${RX_SAMPLES} -l 16 -g 20 -a 0` },
    { name: 'transmit', commands: `${TRANSFER} -t $RESULTS/tx.bin -x 20 -a 0` },
    { name: 'sweep', commands: 'timeout 200 hackrf_sweep -1 -f 100:200 -w 1000000 -l 16 -g 20' },
    { name: 'driver', commands: `timeout 200 node ${repository}/test/system/guest-driver.js` },
    {
      // The same board exported by Linux's own server: our USB/IP client against it.
      name: 'usbipd',
      commands: `usbipd -D -4 -t 3241; sleep 1
for d in /sys/bus/usb/devices/*-*; do [ "$(cat $d/idVendor 2>/dev/null)" = 1d50 ] && b=$(basename $d); done
usbip --tcp-port 3241 bind -b $b || exit 1
timeout 200 node ${repository}/test/system/guest-driver.js 'hackrf?usbip=127.0.0.1:3241'; c=$?
usbip unbind -b $b; exit $c`,
    },
    {
      name: 'unplug',
      commands: `${TRANSFER} -r /dev/null > $RESULTS/unplug.log 2>&1 & t=$!
for i in $(seq 200); do grep -q MiB $RESULTS/unplug.log && break; sleep 0.1; done
echo 'guest: pull the cable' > /dev/console
wait $t; echo "hackrf_transfer ended with $?"
for i in $(seq 200); do lsusb | grep -q 1d50:6089 && break; sleep 0.1; done
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
    {
      name: 'usbip',
      commands: `u="usbip --tcp-port ${usbipPort}"; $u list -r 10.0.2.2; $u attach -r 10.0.2.2 -b 1-1
for i in $(seq 200); do [ $(lsusb | grep -c 1d50:6089) -ge 2 ] && break; sleep 0.1; done
hackrf_info; usbip port`,
    },
  ];
}
