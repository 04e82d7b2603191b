-- expect: over 128 KiB
string.rep("x", 1 << 40)
