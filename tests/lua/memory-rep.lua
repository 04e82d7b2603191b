-- expect: over 32 KiB
string.rep("x", 1 << 40)
