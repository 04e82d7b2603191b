-- expect: too many instructions
::again:: goto again
