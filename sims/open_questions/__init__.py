"""Open questions of the literature as programs: exhaustive searches for a counterexample.

``python -m sims.open_questions --help`` names them.
"""
