"""D1: for chains it is decided whether far predictions become alike, and whether they forget."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import (
    MASK,
    HiddenMarkovModel,
    MarkovChain,
    corpora,
    gallery,
    homogenization,
    strategies,
)
from theory._core.arrays import to_host
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.result import DoesNotApply, Level, as_chain
from theory.distributions import Distribution
from theory.homogenization import Decision

__all__ = ["CONJECTURE_FOR_CHAINS"]

SQUARINGS = 50
"""Powers of a matrix are looked at after so many squarings, at the distance 2^50."""

CERTAIN = 1e3
"""A path through all tokens must be expected so often within that distance."""

ALIKE = 1e-6
"""Predictions nearer to each other than this, at that distance, are taken for alike."""

SEEN_FAR = 400
"""The distance at which the predictions of a denoiser are looked at."""

GONE, STAYS = 1e-9, 1e-10
"""What is left of a mode there must be below the first, or its modulus within the second of 1."""

Decider = Callable[[Any], Decision]


def _reached(p: MarkovChain) -> np.ndarray:
    """Tokens that can be in a context, by walking V steps from the start."""
    steps, now = to_host(p.transition) != 0, to_host(p.initial) != 0
    for _ in range(p.vocab):
        now = now | steps[now].any(axis=0)
    return np.flatnonzero(now)


def _by_patterns(p: Distribution, decide: Decider = homogenization.decide) -> list[Any]:
    """The decision against which tokens can follow at two large distances, and its limits."""
    p = as_chain(p)
    decision, inside = decide(p), _reached(p)
    steps = (to_host(p.transition) != 0)[np.ix_(inside, inside)]
    far = np.eye(len(inside), dtype=bool)
    for _ in range(len(inside) ** 2 + 1):  # beyond (V - 1)^2 + 1 all patterns recur
        far = far @ steps
    further = far @ steps
    alike = bool((far & further).any(axis=1).all())
    shared = bool(far.all(axis=0).any())
    return [int(decision.homogenizes != alike), int(decision.forgets != (alike and shared))]


def _far_predictions(p: MarkovChain) -> np.ndarray | None:
    return homogenization.decide(p).limits


def _limits(p: Distribution, limits: Callable[[Any], Any] = _far_predictions) -> list[Any]:
    """What is left of ``Q P = Q``, ``P Q = Q`` and ``Q Q = Q`` for the far predictions Q."""
    p = as_chain(p)
    far = limits(p)
    if far is None:
        raise DoesNotApply("a period leaves no limit")
    inside = np.ix_(*[_reached(p)] * 2)
    far, steps = far[inside], to_host(p.transition)[inside]
    return [far @ steps - far, steps @ far - far, far @ far - far]


def _two_steps(p: MarkovChain) -> np.ndarray:
    """Planted: predictions at distance 2 are taken for far."""
    return to_host(p.power(2))


def _aperiodic(p: Any) -> Decision:
    """Planted: periods are overlooked, and so are further classes."""
    found = homogenization.decide(p)
    recurrent = found.classes[0].stationary
    return Decision(True, True, 0, recurrent, np.stack([recurrent] * p.vocab), found.classes, "")


def _by_powers(p: Distribution, decide: Decider = homogenization.decide) -> list[float]:
    """The decision against powers of the matrix at a large distance, in floats."""
    p = as_chain(p)
    if p.exact:
        raise DoesNotApply("these powers are taken in floats")
    decision, inside = decide(p), _reached(p)
    steps = to_host(p.transition).astype(np.float64)[np.ix_(inside, inside)]
    least = steps[steps > 0].min()
    if 2**SQUARINGS * least ** len(inside) < CERTAIN:
        raise DoesNotApply(f"a step of {least:.3g} is too rare for 2^{SQUARINGS} steps to show")
    far = steps
    for _ in range(SQUARINGS):
        far = far @ far
        far = far / far.sum(axis=1, keepdims=True)
    apart = np.abs(far - far @ steps).sum(axis=1) / 2
    if not decision.homogenizes:
        return [float(1 - apart.max())]
    assert decision.limits is not None
    off = np.abs(far - decision.limits[np.ix_(inside, inside)].astype(np.float64)).max()
    forgotten = int(decision.forgets != bool(np.abs(far - far[0]).max() < ALIKE))
    return [float(apart.max()), float(off), float(forgotten)]


def _by_denoiser(p: Distribution, decide: Decider = homogenization.decide) -> list[float]:
    """The decision against what the denoiser predicts far from contexts of one or two tokens."""
    if not isinstance(p, (MarkovChain, HiddenMarkovModel)):
        raise DoesNotApply(f"it is about chains, hidden or not, and this is a {type(p).__name__}")
    if p.exact or p.vocab > 4:
        raise DoesNotApply("contexts are gone through in floats, with up to 4 tokens")
    _require_far(to_host(p.transition))
    decision, long = decide(p), _continued(p)
    contexts = np.full((p.vocab + p.vocab**2, long.length), MASK)
    for k, x in enumerate(contexts):
        x[: 1 + (k >= p.vocab)] = k if k < p.vocab else divmod(k - p.vocab, p.vocab)
    possible = contexts[to_host(long.evidence(contexts)) > 0]
    far = to_host(long.denoise(possible))[:, -2:]
    apart = float(np.abs(far[:, 0] - far[:, 1]).sum(axis=1).max() / 2)
    differ = float(np.abs(far[:, 1] - far[0, 1]).max())
    return [
        float(decision.homogenizes != (apart < ALIKE)),
        float(decision.forgets != (apart < ALIKE and differ < ALIKE)),
    ]


def _require_far(steps: np.ndarray) -> None:
    """Refuse steps of which some mode is neither there for ever nor gone where we look."""
    states, least = len(steps), steps[steps > 0].min()
    sizes = np.abs(np.linalg.eigvals(steps))
    passing = sizes[sizes < 1 - STAYS]
    left = float(passing.max(initial=0.0)) ** SEEN_FAR * float(SEEN_FAR) ** states
    if least**states < 10 * STAYS or left > GONE:
        raise DoesNotApply(f"{SEEN_FAR} steps are not far enough to see the limit of this chain")


def _continued(p: MarkovChain | HiddenMarkovModel) -> Distribution:
    if isinstance(p, MarkovChain):
        return MarkovChain(p.initial, p.transition, SEEN_FAR)
    return HiddenMarkovModel(p.initial, p.transition, p.emission, SEEN_FAR)


def _chains(exact: bool) -> Any:
    """Chains, more of them periodic or with several classes than weights at random give."""
    size: dict[str, Any] = {"lengths": (1, 1), "vocabs": (1, 4), "exact": exact}
    return st.one_of(
        strategies.chains(most=1, **size),
        strategies.chains(most=3, **size),
        st.builds(gallery.periodic, st.just(1), st.integers(2, 3), exact=st.just(exact)),
        st.builds(gallery.two_classes, st.just(1), strategies.rationals(), exact=st.just(exact)),
    )


def _hidden() -> Any:
    """Hidden chains of up to three states with few steps, that emit at most three tokens."""

    def build(start: list[int], steps: list[list[int]], shows: list[list[int]]) -> Any:
        parts = [np.asarray(rows, dtype=float) for rows in ([start], steps, shows)]
        first, step, show = (rows / rows.sum(axis=1, keepdims=True) for rows in parts)
        return HiddenMarkovModel(first[0], step, show, 1)

    def rows(count: int, columns: int) -> Any:
        row = st.lists(st.sampled_from((0, 0, 1, 2)), min_size=columns, max_size=columns)
        return st.lists(row.filter(any), min_size=count, max_size=count)

    return st.tuples(st.integers(1, 3), st.integers(1, 3)).flatmap(
        lambda size: st.builds(
            build, rows(1, size[0]).map(lambda r: r[0]), rows(size[0], size[0]), rows(*size)
        )
    )


def _named() -> dict[str, Distribution]:
    half = [[0.5, 0.5], [0.5, 0.5]]
    stay, same = [[1.0, 0.0], [0.0, 1.0]], [[0.75, 0.25], [0.75, 0.25]]
    return {
        "binary_symmetric(8, 0.1)": gallery.binary_symmetric(8, 0.1),
        "periodic(8)": gallery.periodic(8),
        "periodic(8, 3, 2)": gallery.periodic(8, 3, 2),
        "end_of_text(8)": gallery.end_of_text(8),
        "two_classes(8)": gallery.two_classes(8),
        "hidden_periodic(8), invisible": gallery.hidden_periodic(8),
        "hidden_periodic(8, 0.5)": gallery.hidden_periodic(8, 0.5),
        "two hidden classes that emit alike": HiddenMarkovModel([0.5, 0.5], stay, same, 8),
        "hidden fair bits, seen": HiddenMarkovModel([0.5, 0.5], half, stay, 8),
        "letters e, t, a of English words": _letters(),
    }


def _letters() -> MarkovChain:
    """Whether a letter is e, t, a or another one, as it follows another in words of four."""
    words = corpora.english().letters(4)
    symbols = words.symbols or ()
    kinds = np.asarray([("eta".find(letter)) % 4 for letter in symbols])
    pairs = np.zeros((4, 4))
    for k in range(3):
        columns = kinds[words.sequences[:, k]], kinds[words.sequences[:, k + 1]]
        np.add.at(pairs, columns, words.weights)
    rows = pairs / pairs.sum(axis=1, keepdims=True)
    return MarkovChain(pairs.sum(axis=1) / pairs.sum(), rows, 4)


CONJECTURE_FOR_CHAINS = Claim(
    id="D1",
    title="For chains it is decided whether far predictions become alike",
    statement=(
        "On a finite homogeneous chain with the left context observed, the predictions at "
        "distances n and n + 1 approach each other after every context if and only if every "
        "recurrent class that can be reached is aperiodic; they forget the context if and only if "
        "moreover there is one such class. Then far predictions approach its stationary "
        "distribution at the rate of the largest other eigenvalue. For a hidden Markov model the "
        "same holds of those modes that some context holds and the emission shows."
    ),
    latex=(
        r"\forall l:\ \mathrm{TV}(P^n(l,\cdot), P^{n+1}(l,\cdot)) \to 0 \iff "
        r"\text{all recurrent classes are aperiodic};\quad "
        r"P^n(l,\cdot) \to \pi \ \forall l \iff \text{moreover there is one}"
    ),
    says="a conjecture that far predictions become almost identical (D6), with no assumption",
    note=(
        "The contexts are compared at the same distance, wherever they stand. What is decided "
        "is the chain continued for ever; its length plays no part. The decision of a chain "
        "uses only which steps are possible, so it is free of rounding; of a hidden Markov model "
        "it is made in floats."
    ),
    source="derived here, from textbook theory of finite chains",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
    checks=(
        Check(
            level=Level.EXACT,
            residual=_by_patterns,
            distributions=lambda: _chains(exact=True),
            planted={"decide": _aperiodic},
        ),
        Check(
            level=Level.EXACT,
            residual=_limits,
            distributions=lambda: _chains(exact=True),
            planted={"limits": _two_steps},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_by_powers,
            distributions=lambda: st.one_of(
                _chains(exact=False),
                strategies.distributions(lengths=(1, 2)),
            ),
            planted={"decide": _aperiodic},
            tolerance=1e-6,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_by_denoiser,
            distributions=_hidden,
            planted={"decide": _aperiodic},
            tolerance=1e-9,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_by_denoiser,
            named=_named,
            planted={"decide": _aperiodic},
            tolerance=1e-9,
        ),
    ),
)
