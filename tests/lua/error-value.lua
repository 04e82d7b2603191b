-- expect: the error value is a table
error({})
