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
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.result import DoesNotApply, as_chain
from theory.distributions import Distribution
from theory.homogenization import Decision

__all__ = ["D1"]

SQUARINGS = 50  # powers of a matrix are looked at at the distance 2^50
MIN_EXPECTED = 1e3  # a path through all tokens must be expected so often within that distance
ALIKE_TOL = 1e-6  # predictions nearer to each other than this, far away, are taken for alike
FAR = 400  # the distance at which the predictions of a denoiser are looked at
GONE_TOL, STAYS_TOL = 1e-9, 1e-10  # what is left of a mode there; 1 minus its modulus

D1 = Claim(
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
)


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
    size: dict[str, Any] = {"lengths": (1, 1), "vocabs": (1, 3), "states": (1, 3)}
    few, more = (strategies.hidden_markov_models(most=most, **size) for most in (1, 2))
    return few | more


def _letters() -> MarkovChain:
    """Whether a letter is e, t, a or another one, as it follows another in words of four."""
    words = corpora.english().letters(4)
    kinds = np.asarray(["eta".find(letter) % 4 for letter in words.symbols or ()])
    pairs = np.zeros((4, 4))
    for k in range(3):
        columns = kinds[words.sequences[:, k]], kinds[words.sequences[:, k + 1]]
        np.add.at(pairs, columns, words.weights)
    rows = pairs / pairs.sum(axis=1, keepdims=True)
    return MarkovChain(pairs.sum(axis=1) / pairs.sum(), rows, 4)


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


def _reachable(p: MarkovChain) -> tuple[Any, np.ndarray]:
    """Rows and columns of the tokens that V steps from the start lead to, and the steps there."""
    steps, now = to_host(p.transition), to_host(p.initial) != 0
    for _ in range(p.vocab):
        now = now | (steps[now] != 0).any(axis=0)
    inside = np.ix_(now, now)
    return inside, steps[inside]


def _aperiodic(p: Any) -> Decision:
    """Planted: periods are overlooked, and so are further classes."""
    found = homogenization.decide(p)
    recurrent = found.classes[0].stationary
    return Decision(True, True, 0, recurrent, np.stack([recurrent] * p.vocab), found.classes, "")


@D1.residual(
    "which tokens can follow at two large distances", exact=_chains(exact=True), decide=_aperiodic
)
def possible_steps(p: Distribution, decide: Callable = homogenization.decide) -> list[int]:
    p = as_chain(p)
    decision, (_, steps) = decide(p), _reachable(p)
    far = np.eye(len(steps), dtype=bool)
    for _ in range(len(steps) ** 2 + 1):  # beyond (V - 1)^2 + 1 all patterns recur
        far = far @ (steps != 0)
    further = far @ (steps != 0)
    alike = bool((far & further).any(axis=1).all())
    shared = bool(far.all(axis=0).any())
    return [int(decision.homogenizes != alike), int(decision.forgets != (alike and shared))]


@D1.residual(
    "far predictions are fixed points",
    exact=_chains(exact=True),
    limits=lambda p: to_host(p.power(2)),  # predictions at distance 2 are taken for far
)
def limits(p: Distribution, limits: Callable = lambda p: homogenization.decide(p).limits) -> Any:
    """What is left of ``Q P = Q``, ``P Q = Q`` and ``Q Q = Q`` for the far predictions Q."""
    p = as_chain(p)
    far, (inside, steps) = limits(p), _reachable(p)
    if far is None:
        raise DoesNotApply("a period leaves no limit")
    far = far[inside]
    return [far @ steps - far, steps @ far - far, far @ far - far]


@D1.residual(
    "powers of the matrix at a large distance",
    floats=_chains(exact=False) | strategies.distributions(lengths=(1, 2)),
    tolerance=1e-6,
    decide=_aperiodic,
)
def powers(p: Distribution, decide: Callable = homogenization.decide) -> list[float]:
    """The decision against powers of the matrix at a large distance, in floats."""
    p = as_chain(p)
    if p.exact:
        raise DoesNotApply("these powers are taken in floats")
    decision, (inside, steps) = decide(p), _reachable(p)
    least = steps[steps > 0].min()
    if 2**SQUARINGS * least ** len(steps) < MIN_EXPECTED:
        raise DoesNotApply(f"a step of {least:.3g} is too rare for 2^{SQUARINGS} steps to show")
    far = steps
    for _ in range(SQUARINGS):
        far = far @ far
        far = far / far.sum(axis=1, keepdims=True)
    apart = np.abs(far - far @ steps).sum(axis=1) / 2
    if not decision.homogenizes:
        return [float(1 - apart.max())]
    assert decision.limits is not None
    off = np.abs(far - decision.limits[inside].astype(np.float64)).max()
    forgotten = int(decision.forgets != bool(np.abs(far - far[0]).max() < ALIKE_TOL))
    return [float(apart.max()), float(off), float(forgotten)]


def _require_far(steps: np.ndarray) -> None:
    """Refuse steps of which some mode is neither there for ever nor gone where we look."""
    states, least = len(steps), steps[steps > 0].min()
    sizes = np.abs(np.linalg.eigvals(steps))
    passing = sizes[sizes < 1 - STAYS_TOL]
    left = float(passing.max(initial=0.0)) ** FAR * float(FAR) ** states
    if least**states < 10 * STAYS_TOL or left > GONE_TOL:
        raise DoesNotApply(f"{FAR} steps are not far enough to see the limit of this chain")


@D1.residual(
    "what the denoiser predicts far away",
    floats=_hidden(),
    named=_named,
    tolerance=1e-9,
    decide=_aperiodic,
)
def denoiser(p: Distribution, decide: Callable = homogenization.decide) -> list[float]:
    """The decision against what the denoiser predicts far from contexts of one or two tokens."""
    if not isinstance(p, (MarkovChain, HiddenMarkovModel)):
        raise DoesNotApply(f"it is about chains, hidden or not, and this is a {type(p).__name__}")
    if p.exact or p.vocab > 4:
        raise DoesNotApply("contexts are gone through in floats, with up to 4 tokens")
    _require_far(to_host(p.transition))
    if isinstance(p, MarkovChain):
        long = MarkovChain(p.initial, p.transition, FAR)
    else:
        long = HiddenMarkovModel(p.initial, p.transition, p.emission, FAR)
    contexts = np.full((p.vocab + p.vocab**2, FAR), MASK)
    for k, x in enumerate(contexts):
        x[: 1 + (k >= p.vocab)] = k if k < p.vocab else divmod(k - p.vocab, p.vocab)
    possible = contexts[to_host(long.evidence(contexts)) > 0]
    far = to_host(long.denoise(possible))[:, -2:]
    apart = float(np.abs(far[:, 0] - far[:, 1]).sum(axis=1).max() / 2)
    differ = float(np.abs(far[:, 1] - far[0, 1]).max())
    decision = decide(p)
    return [
        float(decision.homogenizes != (apart < ALIKE_TOL)),
        float(decision.forgets != (apart < ALIKE_TOL and differ < ALIKE_TOL)),
    ]
