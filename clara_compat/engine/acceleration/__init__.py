"""What makes a run faster, and the trial that chooses it."""
