#!/bin/sh
# init.sh - the first program inside the emulated machine: runs /jobs/*, each a script, and says how each ended.
# SPDX-License-Identifier: BSD-2-Clause
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mkdir -p /tmp /root
export PATH=/bin HOME=/root LC_ALL=C
stty -F /dev/ttyS0 -opost 2>/dev/null
exec >/dev/ttyS0 2>&1 </dev/null
cd /work || echo "no /work"
for job in /jobs/*; do
	name=$(basename "$job")
	echo "== $name"
	sh "$job"
	echo "== $name: status $? after $(cut -d' ' -f1 /proc/uptime)"
done
echo "== end"
while :; do sleep 1000; done
