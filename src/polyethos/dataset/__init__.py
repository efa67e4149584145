"""What is studied: languages, values and contrast pairs; text and metadata, no arrays of activations."""
