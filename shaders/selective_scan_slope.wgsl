// What both backward kernels of the selective scan need: the slope of Δ from delta + bias, given Δ, and bases of exponentials.
const LOG2E = 1.4426950408889634;
const LN2 = 0.6931471805599453;

#if SOFTPLUS
// d softplus(x)/dx = sigmoid(x) = 1 − exp(−Δ); by its series for a small Δ, where the difference would cancel.
fn activate_gradient(delta: f32) -> f32 {
  if (delta < 0.03) { return delta * (1.0 - delta * (0.5 - delta * (0.16666667 - delta * 0.041666667))); }
  return 1.0 - exp(-delta);
}
#else
fn activate_gradient(delta: f32) -> f32 { return 1.0; }
#end
