"""Numbers for readers."""


def digits(value: float) -> str:
    """Four digits: 0.75, 1.2e-07, inf, nan; 1 only where a bound is attained, else 0.9999."""
    return "0.9999" if 0.9999 < value < 1 - 1e-9 else f"{value:.4g}"
