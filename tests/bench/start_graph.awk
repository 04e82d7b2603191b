# start_graph - a big scene on standard output: awk -v kind=chain|fan|passes -v n=NODES -v frames=FRAMES -f start_graph.awk
# SPDX-License-Identifier: BSD-2-Clause
function grade(id, src) { return sprintf("<grade id=\"%s\" in=\"%s\" exposure=\"0.01\"/>", id, src) }
BEGIN {
	print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
	print "<graph version=\"1\" name=\"big\" fps=\"24\" working=\"acescg\">"
	printf "  <pattern id=\"p\" kind=\"ramp\" width=\"64\" height=\"36\" frames=\"%d\"/>\n", frames
	last = "p"
	if (kind == "passes") {
		for (i = 1; i <= n - 2; i++) {
			printf "  <pass id=\"q%d\" kind=\"look\">%s</pass>\n", i, grade("g" i, last)
			last = "q" i
		}
	} else {
		print "  <pass id=\"look\" kind=\"look\">"
		for (i = 1; i <= (kind == "fan" ? n / 2 - 1 : n - 2); i++) {
			printf "    %s\n", grade("g" i, kind == "fan" ? "p" : last)
			if (kind != "fan") last = "g" i
		}
		for (i = 1; kind == "fan" && i <= n / 2 - 1; i++) {
			printf "    <merge id=\"m%d\" in=\"%s\" over=\"g%d\"/>\n", i, last, i
			last = "m" i
		}
		print "  </pass>"
	}
	printf "  <write id=\"w\" in=\"%s\" file=\"out/a.####.exr\"/>\n</graph>\n", last
}
