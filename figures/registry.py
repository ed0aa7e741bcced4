"""All figures by name, in the order in which they tell the story."""

from figures import (
    alike_not_independent,
    best_at_length,
    bounds_looseness,
    conjecture_rate,
    cost_picture,
    empty_text,
    english_words,
    expected_calls,
    fading_words,
    five_counterexamples,
    frechet_segment,
    frontier,
    growth_complexity,
    imperfect_denoisers,
    inference_strategies,
    one_hundred_coins,
    parallelbench,
    permutation_frontier,
    reveal_order,
    samplers_on_trial,
    three_sentences,
    token_confidence,
    training_masks,
    training_strategies,
    two_errors,
    what_is_best_possible,
)
from figures.figure import Figure

__all__ = ["FIGURES"]

FIGURES: dict[str, Figure] = {
    module.FIGURE.name: module.FIGURE
    for module in (
        english_words,
        frechet_segment,
        cost_picture,
        bounds_looseness,
        what_is_best_possible,
        growth_complexity,
        parallelbench,
        permutation_frontier,
        three_sentences,
        expected_calls,
        frontier,
        token_confidence,
        samplers_on_trial,
        one_hundred_coins,
        empty_text,
        fading_words,
        conjecture_rate,
        five_counterexamples,
        alike_not_independent,
        reveal_order,
        training_masks,
        training_strategies,
        inference_strategies,
        best_at_length,
        two_errors,
        imperfect_denoisers,
    )
}
