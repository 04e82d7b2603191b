#!/bin/sh
# inflight.sh - how many pictures are there at once: one frame's and one more for each further worker, however long the
# clip and however workers are held up (--debug stall).
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
cat > "$tmp/s.xml" << 'X'
<graph version="1" name="t" fps="24">
  <pattern id="src" kind="noise" width="640" height="360" frames="1000"/>
  <pass id="look" kind="look" keep="never"><blur id="soft" in="src" sigma="0.6"/><blur id="glow" in="soft" sigma="15"/>
    <merge id="end" in="glow" over="soft" operation="screen"/></pass>
</graph>
X
picture=$((640 * 360 * 3 * 4))
for threads in 1 2 3 6; do
	# tiles as large as the picture: workers often find nothing to do in the frame that is under way
	peak=$("$INTERNEG" render "$tmp/s.xml" --only end -F 1-150 --no-cache --threads $threads --tile 640 --debug stall \
		--progress json 2> "$tmp/err" | sed -n 's/.*"event":"end".*"peak_bytes":\([0-9]*\).*/\1/p')
	# the frame: soft and end, and the halved ones
	most=$((picture * (threads + 1) + picture / 4))
	if [ "${peak:-0}" -gt 0 ] && [ "$peak" -le $most ]; then echo "ok inflight: $threads threads, $peak of $most bytes"
	else echo "not ok inflight: $threads threads, ${peak:-no figure} bytes, at most $most: $(head -1 "$tmp/err")"; fi
done
