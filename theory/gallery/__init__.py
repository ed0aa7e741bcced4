"""Named distributions, the smallest ones that show something: parity, walks, codes, words.

Those given by a list of equally likely sequences take ``exact=True`` and then hold Fractions.
"""

from theory.gallery.chains import (
    binary_symmetric,
    end_of_text,
    golden_mean_chain,
    hidden_periodic,
    periodic,
    template,
    two_classes,
)
from theory.gallery.constraints import (
    affine_code,
    latin_squares,
    nae_sat,
    permutations,
    reed_solomon,
    sudoku,
)
from theory.gallery.language import cities, common_words, dyck, padded_text, words
from theory.gallery.spins import curie_weiss, ising_ring
from theory.gallery.strings import (
    balanced,
    common_shock,
    coupled_pairs,
    golden_mean,
    one_hot,
    parity,
    repeated_bit,
    walk,
)

__all__ = [
    "affine_code",
    "balanced",
    "binary_symmetric",
    "cities",
    "common_shock",
    "common_words",
    "coupled_pairs",
    "curie_weiss",
    "dyck",
    "end_of_text",
    "golden_mean",
    "golden_mean_chain",
    "hidden_periodic",
    "ising_ring",
    "latin_squares",
    "nae_sat",
    "one_hot",
    "padded_text",
    "parity",
    "periodic",
    "permutations",
    "reed_solomon",
    "repeated_bit",
    "sudoku",
    "template",
    "two_classes",
    "walk",
    "words",
]
