"""What the graph itself says of a pair: other ties, typed paths, degrees; joined to the network's logit."""
