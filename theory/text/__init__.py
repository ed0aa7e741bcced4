"""Text as a distribution: corpora, chains of words, and influence over distance."""

from theory.text import corpora
from theory.text.word_chain import WordChain

__all__ = ["WordChain", "corpora"]
