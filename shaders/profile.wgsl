// The two limits of a roofline (Williams, Waterman & Patterson 2009), measured: see src/engine/profile.ts.
//   copy      target = source, PER_THREAD vec4f a thread: 32 bytes each, counting both ways. GPUs want the lanes of a
//             workgroup side by side, processors that play GPU want each lane's own values together (ADJACENT): both are
//             tried, the faster counts.
//   multiply  CHAINS chains of c ← c · m + a on vec4f a thread, UNROLL links of each a round. A link waits for the one
//             before it, and the chains hide each other's latency. m and a come from a buffer, so that no compiler knows
//             the result, and the store happens only for a sum that never occurs. 8 · CHAINS · UNROLL FLOPs a thread and
//             round, no memory traffic. Without unrolling, a software adapter keeps the chains in memory: 5× slower.
#main workgroup group
#if COPY
#if ADJACENT
  let first = (group * $WORKGROUP + lane) * $PER_THREAD;
#else
  let first = group * ${WORKGROUP * PER_THREAD} + lane;
#end
#for i in 0..PER_THREAD
#if ADJACENT
  write_copied(first + $i, read_original(first + $i));
#else
  write_copied(first + ${i * WORKGROUP}, read_original(first + ${i * WORKGROUP}));
#end
#end
#else
  let m = vec4f(read_operands(0));
  let a = vec4f(read_operands(1));
  let rounds = u32(read_operands(2));
  let start = vec4f(f32(lane) * read_operands(3));
#for i in 0..CHAINS
  var c$i = start + ${i}.0;
#end
  for (var round = 0u; round < rounds; round++) {
#for link in 0..UNROLL
#for i in 0..CHAINS
    c$i = fma(c$i, m, a);
#end
#end
  }
  var sum = c0;
#for i in 1..CHAINS
  sum += c$i;
#end
  if (sum.x + sum.y + sum.z + sum.w == -1.0) { write_result(0, sum.x); }
#end
#end
