"""Tables, figures, terminal pages and the report of a study's results; needs no torch."""
