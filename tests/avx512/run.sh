#!/bin/sh
# run.sh [PART...] - executes the AVX-512 code on an emulated CPU (Bochs) and compares bits with baseline and AVX2 on
# this machine. Parts: pictures nets locks fast (default: all). Prints ok / not ok / skip lines. Pictures are small:
# an emulated core has some 50 MIPS. tests/avx512/get.sh fetches what it takes into build-avx512 the first time.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
parts=${*:-pictures nets locks fast}
at=build-avx512
mkdir -p "$at"
if why=$(sh tests/avx512/get.sh "$at"); then :; else echo "skip avx512: $why"; exit 0; fi
export INTERNEG_SHARE="$PWD"
root=$at/root
weights=
for d in ../shared/data/weights /work/shared/data/weights; do [ -z "$weights" ] && [ -r "$d" ] && weights=$d; done
nets="waifu2x_upconv7_photo_x2 realesr-animevideov3-x4 realesr-general-x4v3 4xLSDIRCompactC3"
# Bochs 3.0 lets Linux 6.1 fall over with some of these, which nothing here wants
amx='sapphire_rapids, exclude_features="la57 cet serialize uintr pks pku waitpkg umip rdpid movdiri movdir64b sca_mitigations"'

put() { # FILE... : programs to their places under /work, libraries to their own, with what they load
	for f in "$@"; do
		case $f in /*) to=$disk ;; *) to=$work ;; esac
		mkdir -p "$to/$(dirname "$f")" && cp -L "$f" "$to/$f" && strip "$to/$f" 2>/dev/null
		ldd "$f" | sed -n 's/^[^/]*\(\/[^ ]*\) (0x.*/\1/p' | while read -r l; do
			mkdir -p "$disk/$(dirname "$l")"
			[ -e "$disk/$l" ] || cp -L "$l" "$disk/$l"
		done
	done
}
job() { # NAME: its script on stdin
	mkdir -p "$disk/jobs" && cat > "$disk/jobs/$1"
}
begin() { # NAME: an empty machine
	name=$1 disk=$at/disk work=$at/disk/work
	rm -rf "$disk" && mkdir -p "$disk/bin" "$disk/proc" "$disk/sys" "$disk/dev" "$disk/tmp" "$work"
	cp "$root/bin/busybox" "$disk/bin/"
	for t in sh mount mkdir stty basename cut sleep echo cat rm; do ln -s busybox "$disk/bin/$t"; done
	cp tests/avx512/init.sh "$disk/init"
	chmod +x "$disk/init"
	cp -r lua graphs "$work/"
	mkdir -p "$work/tests" && cp -r tests/lua tests/unit tests/avx512 "$work/tests/"
	put "$B/avx512/cpu"
	echo "$B/avx512/cpu" | job 00cpu
}
boot() { # MODEL SECONDS: runs it; what it printed is in $at/$name.out
	(cd "$disk" && find . | LC_ALL=C sort | ../root/bin/busybox cpio -o -H newc 2>/dev/null | gzip -1 -n) > "$at/init.gz"
	rm -rf "$at/iso" && mkdir -p "$at/iso/isolinux"
	mv "$at/init.gz" "$at/iso/init.gz"
	cp "$root"/boot/vmlinuz-* "$at/iso/vmlinuz"
	cp "$root"/usr/lib/ISOLINUX/isolinux.bin "$root"/usr/lib/syslinux/modules/bios/ldlinux.c32 "$at/iso/isolinux/"
	printf 'DEFAULT a\nPROMPT 0\nLABEL a\nKERNEL /vmlinuz\nINITRD /init.gz\nAPPEND %s\n' \
		"console=ttyS0 quiet no5lvl clearcpuid=fsrm,umip nokaslr mitigations=off random.trust_cpu=on nowatchdog rdinit=/init" > "$at/iso/isolinux/isolinux.cfg"
	LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu "$root/usr/bin/xorriso" -as mkisofs -quiet -o "$at/$name.iso" \
		-b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table "$at/iso" \
		2> "$at/xorriso.log" || { echo "not ok avx512 $name: no image: $(tail -1 "$at/xorriso.log")"; return 1; }
	cat > "$at/$name.rc" <<END
display_library: nogui
config_interface: textconfig
cpu: model=$1, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest=1536, host=1536
romimage: file=$root/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=$root/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path=$at/$name.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$at/$name.raw
log: $at/$name.log
panic: action=fatal
error: action=ignore
info: action=ignore
clock: sync=none
END
	rm -f "$at/$name.raw"
	nice -n 15 timeout "$2" "$at/bochs" -q -f "$at/$name.rc" > "$at/$name.bochs" 2>&1 </dev/null &
	machine=$!
	while kill -0 $machine 2>/dev/null && ! grep -qs '^== end' "$at/$name.raw"; do sleep 2; done
	kill $machine 2>/dev/null
	wait $machine 2>/dev/null
	tr -d '\r' < "$at/$name.raw" > "$at/$name.out"
	grep -q '^== end' "$at/$name.out" && return 0
	echo "not ok avx512 $name: the machine stopped before its end: $(tail -1 "$at/$name.out" | cut -c1-200)"
	return 1
}
section() { # JOB: what it printed
	sed -n "/^== $1\$/,/^== $1: /p" "$at/$name.out" | sed '1d;$d'
}
cpu_said() {
	section 00cpu | grep -v '^#' | sed "s/^\(ok\|not ok\) /&avx512 $name: /"
	section 00cpu | sed -n "s/^# /# $name: /p"
}
compare() { # WHAT BASELINE AVX2 AVX512 : files of lines "KIND ... HASH"; a line for each kind
	awk -v what="$1" '
		FNR == 1 { file++ }
		/^#/ { next }
		{ key = $0; sub(/ [^ ]*$/, "", key); if (/ fails: /) key = $1 " " $2 " " $3; h[file, key] = $NF; kind[key] = $1 }
		file == 1 && !(key in order) { order[key] = ++n; list[n] = key }
		file > 1 && !(key in order) { print "not ok avx512 " what " " key ": one more than on baseline" }
		END {
			for (i = 1; i <= n; i++) {
				k = list[i]; c = kind[k]
				if (!(c in good)) { good[c] = 0; bad[c] = ""; kinds[++m] = c }
				if (h[1, k] == h[2, k] && h[1, k] == h[3, k]) good[c]++
				else bad[c] = bad[c] " " k " (" h[1, k] " " h[2, k] " " h[3, k] ")"
			}
			for (i = 1; i <= m; i++) {
				c = kinds[i]
				if (bad[c] == "") printf "ok avx512 %s %s: %d pictures, the bits of baseline and AVX2\n", what, c, good[c]
				else printf "not ok avx512 %s %s: baseline, avx2, avx512 differ:%s\n", what, c, substr(bad[c], 1, 600)
			}
			if (!m) print "not ok avx512 " what ": nothing was compared"
		}' "$2" "$3" "$4"
}
bits() { # PROGRAM [ARGUMENT...] : natively on baseline and AVX2; the machine's part is job $PROGRAM
	p=$1; shift
	for i in baseline avx2; do nice -n 15 "$B/avx512/$p" $i "$@" > "$at/$p.$i"; done
}

for part in $parts; do
	case $part in
	pictures)
		begin pictures
		put "$B/avx512/pictures"
		echo "$B/avx512/pictures avx512" | job pictures
		bits pictures
		boot corei7_skylake_x 5400 || continue
		cpu_said
		section pictures > "$at/pictures.avx512"
		compare pictures "$at/pictures.baseline" "$at/pictures.avx2" "$at/pictures.avx512"
		grep '^#' "$at/pictures.avx512" ;;
	nets)
		begin nets
		put "$B/avx512/nets"
		for n in $nets; do
			[ -n "$weights" ] && mkdir -p "$work/weights" && cp "$weights/$n.param" "$weights/$n.bin" "$work/weights/"
		done
		echo "$B/avx512/nets avx512 ${weights:+weights}" | job nets
		bits nets ${weights:+"$weights"}
		boot corei7_skylake_x 5400 || continue
		section nets > "$at/nets.avx512"
		compare nets "$at/nets.baseline" "$at/nets.avx2" "$at/nets.avx512" ;;
	locks)
		begin locks
		put interneg
		# shellcheck disable=SC2046
		put $(ldconfig -p | sed -n 's/.*lib\(avformat\|avcodec\|avutil\|swresample\)\.so\.[0-9]* .*=> //p')
		cp -r examples "$work/"
		rm -rf "$work"/examples/*/out "$work"/examples/*/.interneg
		for s in examples/[0-9]*/scene.xml; do
			echo "./interneg verify $s --sample 1 --isa avx512 --threads 1" | job "$(basename "$(dirname "$s")")"
		done
		boot corei7_skylake_x 7200
		for s in examples/[0-9]*/scene.xml; do
			n=$(basename "$(dirname "$s")")
			said=$(section "$n" | grep -v warning | tail -1)
			if grep -q "^== $n: status 0 " "$at/$name.out"; then echo "ok avx512 lock $n: $said"
			else echo "not ok avx512 lock $n: $said"; fi
		done ;;
	fast)
		lib=$(ldconfig -p | sed -n 's/.*libdnnl\.so\.2 .*=> //p' | head -1)
		[ -n "$lib" ] || { echo "skip avx512 fast: no libdnnl2"; continue; }
		begin fast
		put "$B/avx512/nets" "$lib"
		for n in $nets; do
			[ -n "$weights" ] && mkdir -p "$work/weights" && cp "$weights/$n.param" "$weights/$n.bin" "$work/weights/"
		done
		echo "OMP_NUM_THREADS=1 ONEDNN_MAX_CPU_ISA=AVX512_CORE_AMX $B/avx512/nets fast ${weights:+weights}" | job nets
		boot "$amx" 5400 || continue
		cpu_said
		section nets | sed 's/^\(ok\|not ok\|skip\) /&avx512 /' ;;
	*) echo "not ok avx512: no part $part" ;;
	esac
done
