-- expect: is not node{...} or rule{...}
return { { kind = "nod", decl = {} } }
