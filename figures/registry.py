"""All figures by name, in the order in which they tell the story."""

from figures import english_words, frechet_segment, frontier, token_confidence
from figures.figure import Figure

__all__ = ["FIGURES"]

FIGURES: dict[str, Figure] = {
    module.FIGURE.name: module.FIGURE
    for module in (english_words, frechet_segment, frontier, token_confidence)
}
