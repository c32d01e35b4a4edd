// Δ of the selective scan from delta + bias.
#if SOFTPLUS
fn activate(x: f32) -> f32 { return softplus(x); }
#else
fn activate(x: f32) -> f32 { return x; }
#end
