#!/usr/bin/busybox sh
# pid 1 of the guest: makes a machine with pure cgroup v2, as systemd would mount it, runs main.mjs, powers off.
if [ "$1" != moved ]; then
  # pivot_root(2), which is what the launcher does, cannot leave the file system that the kernel unpacks this into: go on in another one.
  busybox=/usr/bin/busybox
  $busybox --install -s /usr/bin
  export PATH=/usr/bin
  mount -t tmpfs -o mode=0755 root /new
  cp -a /bin /sbin /lib /lib64 /init /warren /new
  cd /new && mkdir usr tmp home dev proc sys etc && chmod 1777 tmp
  mount -o bind /usr usr
  mount -o move . /
  exec chroot . /init moved
fi
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
exec >/dev/ttyS0 2>&1
stty raw # No carriage returns.
(sleep "$LIFE_S"; echo "the guest's time is over"; poweroff -f) & # Should the host have died.
HOME=/tmp node --jitless /warren/main.mjs # Without translating what QEMU then has to translate once more.
echo "main.mjs ended with $?"
poweroff -f
