"""From persona cards to persona vectors: cards, rollouts, difference of means, vector files."""
