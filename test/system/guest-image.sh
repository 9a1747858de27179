#!/usr/bin/env bash
# Makes what the guest of the system test boots from: Debian's kernel, unpacked but not installed, and an initial RAM disk with its modules; and
# beside them libiio's server, unpacked too, as its package would start a service that listens to every machine.
#   guest-image.sh CACHE_FOLDER
# Needs apt-get, dpkg, depmod, modprobe, cpio and Debian's static busybox; no root. Prints KERNEL, INITRD and IIOD as three words.
set -euo pipefail

cache=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$cache"
cd "$cache"

package=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
[ -n "$package" ] || { echo 'no Debian kernel package is known here' >&2; exit 1; }
release=${package#linux-image-}
kernel=$cache/$release/boot/vmlinuz-$release
initrd=$cache/initrd-$release.gz

if [ ! -e "$release/done" ]; then
  rm -rf "$release" ./"$package"_*.deb
  apt-get -qq download "$package"
  mkdir "$release"
  # Only what is used: the kernel and its modules, not the documentation.
  dpkg-deb --fsys-tarfile ./"$package"_*.deb | tar -x -C "$release" --wildcards \
    './boot/vmlinuz-*' './lib/modules/*/modules.*' './lib/modules/*/kernel/drivers/*' './lib/modules/*/kernel/fs/*' \
    './lib/modules/*/kernel/net/*' './lib/modules/*/kernel/lib/*' './lib/modules/*/kernel/crypto/*' \
    './lib/modules/*/kernel/arch/*'
  depmod -b "$release" "$release"
  rm -f ./"$package"_*.deb
  touch "$release/done"
fi

if [ ! -x iiod/usr/sbin/iiod ]; then
  apt-get -qq download iiod
  dpkg-deb -x ./iiod_*.deb iiod
  rm -f ./iiod_*.deb
fi

# Modules in the order of their dependencies, then our init.
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,proc,sys,modules,host,memory,new}
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$here/guest-init.sh" "$root/init"
chmod +x "$root/init"
for module in virtio_pci 9pnet_virtio 9p overlay virtio_net xhci_pci vhci_hcd usbip_host usbserial ftdi_sio cdc_acm sch_netem; do
  modprobe -d "$cache/$release" -S "$release" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
  cp "$file" "$root/modules/"
  basename "$file" >> "$root/modules/order"
done
(cd "$root" && find . -print0 | cpio --quiet --null -o -H newc | gzip -1) > "$initrd"
echo "$kernel $initrd $cache/iiod/usr/sbin/iiod"
