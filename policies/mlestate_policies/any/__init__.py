"""Rules that hold on all three clouds, and rules over a whole stack."""
