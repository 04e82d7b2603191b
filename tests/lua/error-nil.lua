-- expect: the error value is a nil
error()
