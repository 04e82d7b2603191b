-- expect: rawset: this table is read-only
rawset(math, "sin", 0)
