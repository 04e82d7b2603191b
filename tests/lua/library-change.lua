-- expect: cannot set 'sin': this table is read-only
math.sin = function() return 0 end
