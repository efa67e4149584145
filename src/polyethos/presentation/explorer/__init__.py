"""The explorer: a local page with the figures live, a steering playground, and scores of one's own sentences.

Needs the extra `explore`; `polyethos.presentation.explorer.app` is the only entrance.
"""
