// Ops on each element alone: result[i] = formula(input[i], …); src/engine/ops/elementwise.ts has the formula from the op. A
// thread handles PER times one f32, or one vec4f where 4 divides the size, WORKGROUP apart.
// Bytes: each tensor once. Bound by memory bandwidth everywhere.
alias T = $TYPE;

fn formula($PARAMETERS) -> T { $FORMULA }

#main items first..last
  for (var i = first; i < last; i += $WORKGROUP) {
    write_$RESULT(i, formula($ARGUMENTS));
  }
#end
