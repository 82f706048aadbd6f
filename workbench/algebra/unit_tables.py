"""Units of what claims speak of, as powers of the unit of x (a length) and the unit of f (a value).

Quantities carry their unit themselves. Constants have one meaning in the whole project, so a table by name
serves; so do fields of methods, but where two methods use one word for two things.
"""

from collections.abc import Mapping

CONSTANTS: Mapping[str, str] = {
    **dict.fromkeys(("G", "G_max", "sigma", "sigma_i", "sigma_star", "sigma_p"), "f / x"),
    **dict.fromkeys(("L", "L_avg", "L_f", "L_i", "L_j", "L_max", "L_mean_i", "h_sum_i", "h"), "f / x^2"),
    **dict.fromkeys(("L0_hessian", "L0_literal", "L0_segment", "L0_exp"), "f / x^2"),
    **dict.fromkeys(("L1_hessian", "L1_literal", "L1_segment", "L1_exp"), "1 / x"),
    **dict.fromkeys(("L0", "L0_max", "L0_i", "L0_descent_i", "L0_path_i", "L0_literal_i"), "f / x^2"),
    **dict.fromkeys(("L1", "L1_max", "L1_i", "L1_descent_i", "L1_path_i", "L1_literal_i"), "1 / x"),
    **dict.fromkeys(("L_h", "L_h_i"), "f / x^3"),
    **dict.fromkeys(("mu", "mu_component", "mu_f", "mu_g", "mu_layers", "mu_pl", "mu_qg"), "f / x^2"),
    **dict.fromkeys(("tau", "tau_component", "delta", "delta_avg", "delta_star", "trace_i"), "f / x^2"),
    **dict.fromkeys(("diameter", "t_ball"), "x"),
    "quasar": "1",
}
"""Constant of an assumption -> its unit; the norms of all layers measure in the unit of x."""

FIELDS: Mapping[str, str] = {
    "stepsize": "x^2 / f",
    "dual_stepsize_j": "f / x^2",
    **dict.fromkeys(("radius", "radius_i", "ball_radius_i", "eta", "eps"), "x"),
    **dict.fromkeys(("gamma", "v0", "noise_scale"), "f / x"),
    "offset_i": "f / x^2",
    "slope_i": "1 / x",
    **dict.fromkeys(("beta", "beta_h", "factor", "minibatch", "p", "period", "weight", "weight_decay"), "1"),
}
"""Hyperparameter -> its unit. A step along the gradient is x - stepsize grad: x^2 / f."""

FIELDS_OF: Mapping[tuple[str, str], str] = {("ASGO", "eps"): "f / x"}
"""(method, hyperparameter) -> its unit, where a word means something else in this method."""

FACTS: Mapping[str, str] = {
    "gain_i": "x^2 / f",
    **dict.fromkeys(("star_i", "start_i"), "x"),
}
"""Facts with a unit; all others are numbers, probabilities or ratios of two norms."""
