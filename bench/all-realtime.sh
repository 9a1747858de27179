#!/bin/sh
# Makes every figure of docs/results.md on speed and real time, then the page; on a quiet machine, from a clean checkout:
#
#   npm run bench:realtime                          all, about 45 minutes on two cores
#   SRSRAN_4G=source-tree npm run bench:realtime    also the LDPC decoder beside srsRAN_4G, 10 minutes more
#   npm run bench:realtime -- modem speed           only these, and the page
#
# Steps: modem, speed, fft, kernels, ldpc, realtime, video, page. One that fails does not end the others; the exit code is then 1.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=''

step() {
  name=$1
  shift
  case " $steps " in *" $name "*) ;; *) return ;; esac
  printf '%s %s: %s\n' "$(date -u +%H:%M:%S)" "$name" "$*" >&2
  "$@" >&2 || failed="$failed $name"
}

steps=${*:-build modem speed fft kernels ldpc realtime video}
case " $steps " in *' modem '* | *' speed '* | *' realtime '* | *' video '*) steps="build $steps" ;; esac
for name in $steps; do
  case $name in
    build | modem | speed | fft | kernels | ldpc | realtime | video | page) ;;
    *)
      echo "bench:realtime: \"$name\" is no step: modem, speed, fft, kernels, ldpc, realtime, video, page" >&2
      exit 2
      ;;
  esac
done

step build npm run --silent build
step modem node bin/sct.js bench modem -o bench/results # 2 minutes
step speed node bin/sct.js bench --rounds 9 -o bench/results # 4 minutes
step fft node --import tsx bench/fft.ts # 1 minute
step kernels node --import tsx bench/kernels.ts # 1 minute
if [ -n "${SRSRAN_4G:-}" ]; then
  step ldpc node --import tsx bench/ldpc-peer.ts # 10 minutes
else
  echo 'ldpc left out: SRSRAN_4G names no source tree' >&2
fi
if [ -f bench/realtime.ts ]; then step realtime node --import tsx bench/realtime.ts; fi # 17 minutes
if [ -f bench/video.ts ]; then step video node --import tsx bench/video.ts; fi # 11 minutes
node --import tsx bench/results-page.ts || failed="$failed page"
if [ -n "$failed" ]; then
  echo "failed:$failed" >&2
  exit 1
fi
