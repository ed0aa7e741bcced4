"""Texts as distributions: corpora, chains of words, and what they predict at a distance."""

from theory.text import corpora
from theory.text.word_chain import WordChain

__all__ = ["WordChain", "corpora"]
