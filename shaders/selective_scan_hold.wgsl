// B̄ of the selective scan by zero-order hold (Gu & Dao 2023, equation 4): a step writes w B u with w = (e^(ΔA) − 1)/A, where
// Mamba writes Δ B u. `a` is A·log₂e and `decay` e^(ΔA), for one state or two (STATES_TYPE). Near ΔA = 0, where the
// differences would cancel, both are their series up to 0.3⁶ / 7!, below float32's last place.

// w
fn write_weight(delta: f32, a: $STATES_TYPE, decay: $STATES_TYPE) -> $STATES_TYPE {
  let x = delta * a * 0.6931471805599453;
  let near = abs(x) < $STATES_TYPE(0.3);
  let series = delta * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0))))));
  return select((decay - 1.0) / select(a * 0.6931471805599453, $STATES_TYPE(1.0), near), series, near);
}

// ∂w/∂A = (Δ e^(ΔA) − w)/A; ∂w/∂Δ is the decay.
fn write_slope(delta: f32, a: $STATES_TYPE, decay: $STATES_TYPE, weight: $STATES_TYPE) -> $STATES_TYPE {
  let x = delta * a * 0.6931471805599453;
  let near = abs(x) < $STATES_TYPE(0.3);
  let series = delta * delta
    * (0.5 + x * (1.0 / 3.0 + x * (1.0 / 8.0 + x * (1.0 / 30.0 + x * (1.0 / 144.0 + x * (1.0 / 840.0))))));
  return select((delta * decay - weight) / select(a * 0.6931471805599453, $STATES_TYPE(1.0), near), series, near);
}
