"""Ball-convexity: supports along the steps of the ball-proximal point method."""
