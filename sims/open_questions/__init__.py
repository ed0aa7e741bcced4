"""Questions without a known answer, as programs: searches for a counterexample.

``python -m sims.open_questions --help`` names them.
"""
