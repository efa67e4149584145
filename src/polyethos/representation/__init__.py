"""From a model to activations to concept vectors."""
