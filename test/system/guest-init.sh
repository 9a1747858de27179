#!/bin/busybox sh
# First process of the guest: the host's files read-only, a layer of memory over them, a writable folder at /results,
# and its script steps.sh.
b=/bin/busybox
$b mount -t proc none /proc
$b mount -t sysfs none /sys
$b mount -t devtmpfs none /dev
while read -r module; do $b insmod "/modules/$module" || echo "guest: $module does not load"; done < /modules/order
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro hostfiles /host
$b mount -t tmpfs none /memory
$b mkdir /memory/upper /memory/work
$b mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work none /new
$b mount --move /proc /new/proc
$b mount --move /sys /new/sys
$b mount --move /dev /new/dev
$b mkdir -p /new/dev/pts /new/dev/shm
$b mount -t devpts none /new/dev/pts
$b mount -t tmpfs none /new/dev/shm
$b mkdir -p /new/results
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none results /new/results
$b ip link set lo up
if [ -e /new/sys/class/net/eth0 ]; then
  $b ip link set eth0 up
  $b ip addr add 10.0.2.15/24 dev eth0
  $b ip route add default via 10.0.2.2
fi
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C
$b chroot /new /bin/bash /results/steps.sh
echo "guest: script ended with $?"
$b poweroff -f
