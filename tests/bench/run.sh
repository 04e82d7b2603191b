#!/bin/sh
# run.sh - `make bench`: runs every script of this folder in order and prints one table of what they measured.
#
# T=name runs one of them (T=jobs). PAIRS=n alternating pairs (default 3), LONG=1 the lengths that the targets name.
# Each script prints result lines (lib.sh); a script whose peers are missing prints why it skipped them. Other people's
# processes share machines: quote the ratios. Status 0 even where a target is not met; STRICT=1 makes that a failure.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")" || exit 1
log=$(mktemp "${TMPDIR:-/tmp}/interneg-bench.XXXXXX") || exit 1
trap 'rm -f "$log" "$log.part"' EXIT
trap 'exit 130' INT TERM
T=${T:-${1:-}}
echo "$(nproc) cores: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1); load before: $(cut -d' ' -f1-3 /proc/loadavg)"
found=no
for s in start jobs clip colour lutgrain blur resample lua exr memory busy *.sh; do
	s=${s%.sh}
	case " run lib ${done_already:-} " in *" $s "*) continue ;; esac
	done_already="${done_already:-} $s"
	[ -f "$s.sh" ] || continue
	[ -z "$T" ] || [ "$T" = "$s" ] || continue
	found=yes
	echo; echo "== $s"
	begin=$(date +%s)
	sh "./$s.sh" > "$log.part" 2>&1 || printf '=\t%s\tfailed\n' "$s" >> "$log.part"
	grep -v '^=	' "$log.part"
	awk -F '\t' -v s="$s" '/^=\t/ {sub(/^=\t/, "=\t" s ": "); print}' "$log.part" >> "$log"
	awk -F '\t' '/^=\t/ {print "  " $2 (NF > 3 ? ": " $3 " against " $4 ", ratio " $5 : ": " $3)}' "$log.part"
	rm -f "$log.part"
	echo "   ($(($(date +%s) - begin)) s)"
done
[ $found = yes ] || { echo "bench: no such script: $T (there are: $(ls ./*.sh | sed 's,\./,,; s,\.sh,,' | grep -vx 'run\|lib' | tr '\n' ' '))"; exit 2; }
echo
awk -F '\t' '
function cell(s, n) { return sprintf("%-" n "s", s) }
BEGIN { print cell("subject", 58) cell("ours", 14) cell("peer", 14) cell("ratio", 8) cell("target", 10) "met?" }
NF > 3 { print cell($2, 58) cell($3, 14) cell($4, 14) cell($5, 8) cell($6, 10) $7; if ($7 == "met") m++; if ($7 == "NOT MET") x++; next }
{ print cell($2, 58) $3; if ($3 != "failed") k++; else x++ }
END { printf "\n%d targets met, %d not met, %d skipped\n", m, x, k; exit x > 0 ? 1 : 0 }' "$log"
rc=$?
[ "${STRICT:-}" ] || rc=0
exit $rc
