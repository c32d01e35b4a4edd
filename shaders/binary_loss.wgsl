// Binary cross-entropy with logits z and targets y in [0, 1], or the focal loss (Lin et al. 2017, arXiv:1708.02002):
//   bce = POS_WEIGHT y softplus(−z) + (1 − y) softplus(z),  q = p (1 − y) + (1 − p) y with p = sigmoid(z),
//   loss = mean of (ALPHA y + (1 − ALPHA)(1 − y)) q^GAMMA bce, of bce alone without FOCAL.
// PARTIAL: THREADS threads add every THREADS-th element; MEAN: one workgroup adds their sums in a fixed order.
// BACKWARD: dz = dloss / COUNT · weight · (q^GAMMA bce' + GAMMA q^(GAMMA − 1) q' bce), q' = p (1 − p)(1 − 2 y); a
// thread owns an element. Bytes 8 an element forward, 12 backward.

#if PARTIAL || BACKWARD
// No smaller: its logarithm must be finite.
fn wrong(z: f32, y: f32) -> f32 { return max(sigmoid(z) * (1.0 - y) + sigmoid(-z) * y, 1e-37); }
fn entropy(z: f32, y: f32) -> f32 { return $POS_WEIGHT * y * softplus(-z) + (1.0 - y) * softplus(z); }
fn weight(y: f32) -> f32 { return $ALPHA * y + (1.0 - $ALPHA) * (1.0 - y); }
#end

#if PARTIAL
fn loss_of(i: u32) -> f32 {
  let z = read_logits(i);
  let y = read_target_(i);
#if FOCAL
  return weight(y) * pow(wrong(z, y), $GAMMA) * entropy(z, y);
#else
  return entropy(z, y);
#end
}

#main thread thread
  write_partial(thread, sum_in_order(thread, $THREADS, ($COUNT - thread + ${THREADS - 1}) / $THREADS, lane));
#end
#end

#if MEAN
#main workgroup group
  let sum = sum_in_order(0, 1, $PARTIALS, lane);
  if (lane > 0) { return; }
  write_loss(0, sum / $COUNT);
#end
#end

#if BACKWARD
#main thread i
  let z = read_logits(i);
  let y = read_target_(i);
  let p = sigmoid(z);
  let slope = (1.0 - y) * p - $POS_WEIGHT * y * sigmoid(-z);
#if FOCAL
  let q = wrong(z, y);
  let turn = $GAMMA / q * p * sigmoid(-z) * (1.0 - 2.0 * y) * entropy(z, y);
  write_dlogits(i, read_dloss(0) / $COUNT * weight(y) * pow(q, $GAMMA) * (slope + turn));
#else
  write_dlogits(i, read_dloss(0) / $COUNT * slope);
#end
#end
#end
