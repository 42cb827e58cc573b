"""What does a synthetic set hold, how good is it, and does it copy patients? The card of a set."""
