// FORWARD: y[r, :] = weight[tokens[r], :]. A thread owns one element, or four (TYPE vec4f).
// Otherwise partial[s, v, :] = Σ dy[r, :] over the rows r of span s whose token is v, in ascending r. A thread owns
// (s, v) and PER elements, D / PER apart, and looks at every token of its span; neighbours read neighbouring channels.
// A token at or above VOCABULARY counts as the last one: a shader cannot reject it, so the caller must.
// tokens [rows]; weight [vocabulary, d]; y, dy [rows, d]. D counts elements of TYPE.
// Bytes: 8 an element of y forward. Backward 4 an element of dy, and rows · vocabulary · D / PER reads of tokens, which
// cost more than all else from about a thousand tokens of vocabulary on; sorting the rows by token would then be better.
// Tried: a float atomic add per element; its order, and so its sum, would change from run to run.

#main thread i
#if FORWARD
  write_y(i, read_weight(min(read_tokens(i / $D), ${VOCABULARY - 1}u) * $D + i % $D));
#else
  let c = i % ${D / PER};
  let token = i / ${D / PER} % $VOCABULARY;
  let first = i / ${D / PER * VOCABULARY} * $SPAN;
#for p in 0..PER
  var sum_$p = $TYPE();
#end
  let last = min(first + $SPAN, ${ROWS}u);
  var r = first;
  loop {
    // A loop to the next row of this token: SwiftShader would walk through an if that no lane takes.
    while (r < last && min(read_tokens(r), ${VOCABULARY - 1}u) != token) { r++; }
    if (r >= last) { break; }
#for p in 0..PER
    sum_$p += read_dy(r * $D + c + ${p * (D / PER)});
#end
    r++;
  }
#for p in 0..PER
  write_partial(i / ${D / PER} * $D + c + ${p * (D / PER)}, sum_$p);
#end
#end
#end
