"""f + g + sum_j h_j: f is used through its gradient, g and the h_j through proximal steps."""
