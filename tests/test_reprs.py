"""What users get is shown in one line that says what it is, however large it is."""

import array_api_strict as strict
import numpy as np
import sympy

import sims
from sims import comparison, policies
from sims.decoding.output import OutputDistribution
from tests.noted import each
from theory import (
    EvidenceLattice,
    JointTable,
    MarkovChain,
    WordChain,
    alpha_loss,
    corpora,
    gallery,
    homogenization,
)
from theory import information as info
from theory.claims import registry
from theory.text.word_chain import End

CHAIN = gallery.binary_symmetric(60, 0.1)
PROMPTED = np.asarray([0, *[-1] * 59])
WIDE = MarkovChain(np.full(50, 0.02), np.full((50, 50), 0.02), 5)
HIDDEN = gallery.hidden_periodic(60)


def rng():
    return np.random.default_rng(0)


def written(p, policy):
    return sims.output_distribution(p, policy)


WORDS = (
    "<OutputDistribution of <EmpiricalDistribution: length 4, vocab 26>: KL 1.825 nats, 2 rounds>"
)
EXACT = (
    "<OutputDistribution of <JointTable: length 3, vocab 2, exact=True>: KL 0.6931 nats, 2 rounds>"
)


@each(
    ("make", "shown"),
    [
        (lambda: EvidenceLattice(np.ones((3,) * 4)), "<EvidenceLattice: length 4, vocab 3>"),
        (lambda: info.gain_curve(CHAIN), None),
        (lambda: info.GainCurve([sympy.Symbol("h")]), "<GainCurve of 1 site: h(1) = h>"),
        (lambda: homogenization.measure(CHAIN, PROMPTED), None),
        (
            lambda: homogenization.measure(gallery.parity(2, exact=True), [-1, 0]),
            "<Measures at 1 site: distance 1 to 1, entropy 0 to 0, limit_tv 0.5 to 0.5, "
            "information 0.6931 to 0.6931>",
        ),
        (lambda: homogenization.average(CHAIN, [0]), None),
        (lambda: homogenization.worst(WIDE, [0]), None),
        (lambda: homogenization.decide(CHAIN), None),
        (lambda: homogenization.decide(CHAIN).classes[0], "<RecurrentClass {0, 1}: period 1>"),
        (lambda: homogenization.decide_middle(CHAIN), None),
        (lambda: info.bracket(CHAIN), None),
        (lambda: info.bracket(HIDDEN), None),
        (lambda: info.bracket(gallery.parity(3)), "<Bracket of 4 numbers, known exactly>"),
        (lambda: info.estimate_profile(CHAIN, rng(), 9), None),
        (lambda: info.Estimate(1.5, 0.25, 1), "<Estimate 1.5 ± 0.25 from 1 draw>"),
        (lambda: info.infilling(CHAIN, [3]), None),
        (lambda: alpha_loss.best_product(gallery.parity(4), 0.5), None),
        (lambda: written(gallery.words(4), policies.TopK(2)), WORDS),
        (lambda: written(gallery.parity(3, exact=True), policies.LeftToRight(2)), None),
        (
            lambda: written(gallery.parity(3, exact=True), policies.RandomOrder((1, 2))),
            EXACT,
        ),
        (lambda: sims.decode(CHAIN, policies.TopK(9), rng(), 20), None),
        (lambda: sims.AnyOrder(gallery.words(4), gallery.words(4).denoise), None),
        (lambda: sims.from_logits(lambda ids: ids, mask_id=2), None),
        (lambda: sims.from_logits(Model(), mask_id=2), "from_logits(Model, mask_id=2, vocab=None)"),
        (lambda: sims.split(gallery.parity(3), policies.TopK(2)), None),
        (lambda: sims.frontier(gallery.parity(3))[0], None),
        (lambda: sims.frontier(gallery.parity(3), rounds=2)[1], "InRounds(rounds=2, kl=0)"),
        (
            lambda: sims.on_chain(gallery.binary_symmetric(3, 0.5), policies.Bisection()),
            "<OnChain of Bisection(): path KL 0 nats, 2 rounds on data>",
        ),
        (
            lambda: sims.frontier(gallery.balanced(100), rounds=2)[1].policy,
            "<CountTabulated policy of 100 sites in 2 rounds>",
        ),
        (lambda: sims.frontier_bounds(gallery.binary_symmetric(4, 0.1), [2])[0], None),
        (lambda: comparison.compare(gallery.parity(3), [policies.TopK(2)]), None),
        (lambda: corpora.english(), None),
        (lambda: WordChain(corpora.english()), None),
        (lambda: far(("the cat",), "the"), "<Far: a limit over 4 words, rate 0>"),
        (lambda: far(("one two",), "one", "restart"), "<Far: no limit, rate 1>"),
        (lambda: registry["A1"], None),
        (lambda: registry["A1"].checks[0], None),
        (lambda: (list(registry), registry)[1], f"<Registry of {len(registry)} claims>"),
    ],
)
def test_one_line(make, shown):
    found = repr(make())
    assert "\n" not in found
    assert " at 0x" not in found
    assert len(found) < 150
    assert shown in (None, found)


class Model:
    """A model whose own representation takes several lines, as those of networks do."""

    def __call__(self, ids):
        raise NotImplementedError

    def __repr__(self):
        return "Model(\n  layers\n)"


def far(paragraphs, phrase, end: End = "absorbing"):
    chain = WordChain(corpora.from_paragraphs(paragraphs), end=end)
    return chain.far(chain.after(phrase))


def test_what_is_shown_is_what_it_is():
    q = written(gallery.words(4), policies.Remask((0, 0.5, 1), 0.5))
    assert isinstance(q, OutputDistribution)
    assert f"KL {q.kl:.4g} nats, {q.expected_rounds:.4g} rounds>" in repr(q)
    m = homogenization.measure(CHAIN, PROMPTED)
    assert repr(m) == (
        f"<Measures at 59 sites: distance 1 to 59, entropy {m.entropy[0]:.4g} to "
        f"{m.entropy[-1]:.4g}, limit_tv {m.limit_tv[0]:.4g} to {m.limit_tv[-1]:.4g}, information "
        f"{m.information[0]:.4g} to {m.information[-1]:.4g}>"
    )


@each("kind", [info.gain_curve, EvidenceLattice, homogenization.measure, info.bracket])
def test_on_a_device_they_are_shown_as_on_the_host(kind):
    table = np.arange(1.0, 9.0).reshape(2, 2, 2)
    shown = []
    for xp, device in ((np, "cpu"), (strict, strict.Device("device1"))):
        weights = xp.asarray(table, device=device)
        given = {
            EvidenceLattice: (weights,),
            homogenization.measure: (JointTable(weights), xp.asarray([0, -1, -1], device=device)),
        }
        shown.append(repr(kind(*given.get(kind, (JointTable(weights),)))))
    assert shown[0] == shown[1]
