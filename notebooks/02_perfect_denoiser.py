# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 2. The perfect denoiser
#
# *Every prediction is a ratio of two neighbours in one table.*
#
# **Learning goals.** After this lesson you can
#
# 1. build the evidence lattice of three bits by hand, and read every prediction off it;
# 2. say why the best prediction is the conditional probability, and what any other one pays;
# 3. write down the training loss of a masked diffusion model and work it out for a small case;
# 4. explain why a perfect model has a loss, how large it is, and what "zero loss" can mean.
#
# **Time needed.** 60 minutes: 15 for each of the sections 1 to 3, 15 for section 4 and the
# exercises.
#
# **Prerequisites.** Lesson 1. Logarithms; the entropy H of a distribution, the sum of −p log p.
#
# **The picture to keep.** A cube of counts with one more slice on each axis: *masked*. A prediction
# is one cell divided by its neighbour in the masked slice.

# %% [markdown]
# ## 1. Eight cards
#
# On a table lie eight cards. On each are three bits:
#
# > 000 · 000 · 000 · 000 · 011 · 011 · 110 · 111
#
# One card is drawn, and some of its bits are covered. A covered bit is written `?`. You see `?1?`.
# What is the third bit? A perfect model answers with the probability of each value.

# %% [markdown]
# ### Predict
#
# 1. How many cards fit `?1?`? How many of these have a 1 at the end? So how likely is a 1?
# 2. How many different patterns of `0`, `1` and `?` are there for three bits?
# 3. You want the number of fitting cards for *all* patterns. How many additions do you need?

# %% [markdown]
# ### Run
#
# First by counting, once for each pattern.

# %%
from fractions import Fraction
from itertools import pairwise, product

cards = ["000"] * 4 + ["011"] * 2 + ["110", "111"]


def fits(card, pattern):
    """Whether the card agrees with all bits of the pattern that are not covered."""
    return all(seen in ("?", bit) for bit, seen in zip(card, pattern, strict=True))


count = {
    pattern: sum(fits(card, pattern) for card in cards)
    for pattern in map("".join, product("01?", repeat=3))
}
print("patterns:", len(count))
print("fit ?1?:", count["?1?"], "  fit ?11:", count["?11"], "  fit ???:", count["???"])
print("third bit is 1, given ?1?:", Fraction(count["?11"], count["?1?"]))
assert len(count) == 27
assert Fraction(count["?11"], count["?1?"]) == Fraction(3, 4)

# %% [markdown]
# Now cleverly. Put the number of each card into a cube of 2 × 2 × 2. Add a slice *masked* to the
# first axis: the sum along it. Then to the second axis, then to the third.

# %%
import numpy as np

cube = np.zeros((2, 2, 2), dtype=np.int64)
for card in cards:
    cube[tuple(map(int, card))] += 1

lattice, additions = cube, 0
for axis in range(3):
    masked = lattice.sum(axis=axis, keepdims=True)
    additions += masked.size  # two numbers are added for each new cell
    lattice = np.concatenate([lattice, masked], axis=axis)
    print("shape", lattice.shape, "after", additions, "additions")

assert lattice.shape == (3, 3, 3)
assert all(
    lattice[tuple("01?".index(bit) for bit in pattern)] == count[pattern] for pattern in count
)

# %% [markdown]
# This is the **evidence lattice**, drawn as three slices. Blue: the two cells whose ratio answers
# the question.

# %%
import matplotlib.pyplot as plt

plt.style.use("figures.paper")
figure, slices = plt.subplots(1, 3, figsize=(5.2, 1.9))
for first, axes in enumerate(slices):
    axes.imshow(lattice[first], cmap="Greys", vmin=0, vmax=20)
    for second, third in product(range(3), repeat=2):
        asked = (first, second) == (2, 1) and third in (1, 2)
        style = {"color": "#0072B2", "weight": "bold"} if asked else {}
        axes.text(third, second, lattice[first, second, third], ha="center", va="center", **style)
    axes.set_xticks(range(3), ["0", "1", "?"])
    axes.set_yticks(range(3), ["0", "1", "?"])
    axes.set(title=f"first bit {'01?'[first]}", xlabel="third bit", ylabel="second bit")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)

# %% [markdown]
# ### Explain
#
# Cell `?1?` holds 4, its neighbour `?11` holds 3: the third bit is 1 with probability 3/4. *Every*
# prediction, for every pattern, is such a ratio:
#
# $$p(x_i = v \mid \text{observed}) = \frac{Z[\text{observed},\ x_i = v]}{Z[\text{observed}]}$$
#
# Counting each pattern by itself takes 37 additions, the lattice 19. With 18 bits it is 68 thousand
# million against 387 million, for all 3^18 patterns.


# %%
def one_by_one(sites):
    """Additions if each pattern is counted by itself: 2^k cells for k covered bits."""
    return 4**sites - 3**sites  # sum over patterns of 2^k, less one for each pattern


def by_the_lattice(sites):
    """Additions of the lattice: one for each cell that is not in the cube."""
    return 3**sites - 2**sites


assert (one_by_one(3), by_the_lattice(3), additions) == (37, 19, 19)
assert round(one_by_one(18) / 1e9) == 68
assert round(by_the_lattice(18) / 1e6) == 387

# %% [markdown]
# In the library, the same table and the same answer. (`MASK` is −1, so it points to the last slot
# of an axis: the masked one.)

# %%
from theory import (
    MASK,
    EvidenceLattice,
    ImpossibleEvidence,
    JointTable,
    forward,
    gallery,
    information,
)

p = JointTable(cube, exact=True)
assert (p.lattice().numerators == lattice).all()
assert EvidenceLattice(cube).numerators[MASK, 1, MASK] == 4
print(p.denoise([MASK, 1, MASK]).tolist())
assert p.denoise([MASK, 1, MASK])[2].tolist() == [Fraction(1, 4), Fraction(3, 4)]

# %% [markdown]
# No card begins with 10. What should a perfect model say to `10?`? There is no right answer: 0/0.

# %%
print("cards that fit 10?:", p.evidence([1, 0, MASK]))
try:
    p.denoise([1, 0, MASK])
except ImpossibleEvidence as error:
    print(error)
else:
    raise AssertionError("this should have been refused")

# %% [markdown]
# Keep this in mind. In training this question never comes up, so training says nothing about the
# answer. But a decoder that writes two bits at once may write `10`, and then has to ask it.

# %% [markdown]
# ## 2. Why this answer is the best one
#
# ### Predict
#
# A card fits `?1?`. You say "1 with probability g". If the bit is a 1 you pay −log g, otherwise
# −log(1 − g). Which g would you choose, if you play often? A cautious 1/2? A bold 1? What do you
# pay on average then? Can you come down to 0?

# %% [markdown]
# ### Run

# %%
from math import log


def paid(guess, truth=0.75):
    """Average payment in nats (natural logarithms)."""
    return -truth * log(guess) - (1 - truth) * log(1 - guess)


for guess in (0.5, 0.7, 0.75, 0.8, 0.99):
    print(f"guess {guess:4}: pay {paid(guess):.4f} nats")
best = min((k / 100 for k in range(1, 100)), key=paid)
print("best of 1/100 ... 99/100:", best)
assert best == 0.75


# %%
def show(guess):
    """Draw the average payment, with your guess on it."""
    guesses = np.linspace(0.01, 0.99, 99)
    _, axes = plt.subplots(figsize=(3.6, 2.1))
    axes.plot(guesses, [paid(g) for g in guesses], color="#0072B2")
    axes.axhline(paid(0.75), color="0.6", linestyle=":")
    axes.plot([guess, guess], [paid(0.75), paid(guess)], color="#D55E00", linestyle="-")
    axes.plot(guess, paid(guess), "o", color="#D55E00")
    axes.text(0.03, 0.48, "entropy: nobody gets below", color="0.4", fontsize=7, va="top")
    axes.set(xlabel="guess g", ylabel="average payment (nats)", ylim=(0, 3), xlim=(0, 1))
    axes.set_title(f"{paid(guess) - paid(0.75):.3f} nats more than needed")


show(0.4)

# %% [markdown]
# With a slider, where `ipywidgets` is installed. (Without: change the number above.)

# %%
try:
    from ipywidgets import FloatSlider, interact
except ImportError:
    print("no slider here: change the number in the cell above and run it again")
else:
    interact(show, guess=FloatSlider(value=0.4, min=0.02, max=0.98, step=0.02))

# %% [markdown]
# ### Explain
#
# The bold 1 pays nothing three times in four, and infinitely much otherwise. The cautious 1/2 pays
# log 2 always. The best guess is the true probability, 3/4. What it pays is the *entropy*, 0.562
# nats, and not 0: the bit is uncertain, and no guess changes that. Any other guess pays more, and
# what it pays more is the *divergence* KL(truth ‖ guess), the vertical line:
#
# $$-\tfrac34 \log g - \tfrac14 \log(1-g) = H(\tfrac34) + \mathrm{KL}(\tfrac34 \,\|\, g)$$

# %%
entropy = -0.75 * log(0.75) - 0.25 * log(0.25)
assert abs(paid(0.75) - entropy) < 1e-12
assert round(entropy, 3) == 0.562
for guess in (0.5, 0.9):
    divergence = 0.75 * log(0.75 / guess) + 0.25 * log(0.25 / (1 - guess))
    assert abs(paid(guess) - entropy - divergence) < 1e-12

# %% [markdown]
# ## 3. The loss that trains a model
#
# A masked diffusion model is trained like this. Take a text of the data. Choose a level of noise: a
# number α between 1 (clean) and 0 (all masked). Mask each site with probability 1 − α. Let the
# model `f` guess every masked site, and let it pay −log of what it gave to the true token. Do this
# on a grid of levels 1 = α_0 > α_1 > ... > α_T = 0. The step from s to t counts with the weight
#
# $$w = \frac{\alpha_s - \alpha_t}{1 - \alpha_t}, \qquad
# L = \sum_{\text{steps}} w \; \mathbb{E} \sum_{i\ \text{masked}} -\log f_i(x_t)[x_{0,i}]$$
#
# This is how we have equation (10) of *Why mask diffusion does not work* (arXiv 2510.03289). We
# know it from a transcription that did not show the expectation and the sum over positions; they
# are the usual ones, and put in by us ([paper_notes.md](../paper_notes.md)). The weight has a
# meaning: it is the probability that a site that is masked at t was still clean at s.

# %% [markdown]
# ### Predict
#
# Take our eight cards and the perfect model.
#
# 1. *One step*, from clean to all masked. What is w? Which questions does the model get? So what is
#    the loss: the entropy of the card, or the entropies of the three bits, added?
# 2. *Two steps*, α = 1, 1/2, 0. More or less than before?

# %% [markdown]
# ### Run
#
# `loss_by_pattern(p)` gives the expected payment for each set of covered bits (index 0: covered).
# We put equation (10) together by hand.

# %%
half = Fraction(1, 2)
by_pattern = forward.loss_by_pattern(p)  # shape (2, 2, 2)
all_covered = by_pattern[0, 0, 0]
one_step = forward.weight(1, 0) * all_covered

# Two steps. At level 1/2 each of the 8 sets of covered bits has probability 1/8.
two_steps = forward.weight(1, half) * by_pattern.sum() / 8 + forward.weight(half, 0) * all_covered

print("one step: ", one_step, "=", round(float(one_step), 4), "nats")
print("two steps:", two_steps, "=", round(float(two_steps), 4), "nats")
assert one_step == forward.nelbo(p, [1, 0])
assert two_steps == forward.nelbo(p, [1, half, 0])
assert one_step == sum(information.entropy(p, (i,)) for i in range(3))
assert two_steps < one_step

# %% [markdown]
# Now other models against the perfect one, on three grids.

# %%
from sims import Perturbed, excess_loss

grids = {steps: [1 - Fraction(k, steps) for k in range(steps + 1)] for steps in (1, 2, 4)}


def forgetful(x):
    """A model that ignores what it sees and always answers with the marginals."""
    answer = np.repeat(np.asarray(p.marginals)[None], len(x), axis=0)
    tokens = np.asarray([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]], dtype=object)
    return np.where((x == MASK)[..., None], answer, tokens[np.maximum(x, 0)])


models = {
    "perfect": p.denoise,
    "a little doubtful": Perturbed(p, smoothing=Fraction(1, 10)),
    "very doubtful": Perturbed(p, smoothing=Fraction(1, 2)),
    "forgetful": forgetful,
}
least = {steps: forward.nelbo(p, grid) for steps, grid in grids.items()}
for name, model in models.items():
    losses = [forward.nelbo(p, grid, model) for grid in grids.values()]
    print(f"{name:18}", *(f"{float(loss):.4f}" for loss in losses))
    assert all(loss >= least[steps] for loss, steps in zip(losses, grids, strict=True))

# %% [markdown]
# ### Explain
#
# The loss is a sum of payments as in section 2, one for each pattern and covered bit, with weights
# that do not depend on the model. Each payment is least for the conditional probability, so the
# whole loss is (claim [A1](../paper_notes.md#the-claims)). Any other model pays exactly the
# expected, weighted divergence on top.
#
# With one step the forgetful model is as good as the perfect one: with everything masked there is
# nothing to forget.

# %%
assert forward.nelbo(p, [1, 0], forgetful) == least[1]
assert forward.nelbo(p, grids[2], forgetful) > least[2]

# %% [markdown]
# ## 4. Zero loss is not loss zero
#
# ### Predict
#
# The perfect model on finer and finer grids: does its loss go to 0? To something else? Write down
# what.

# %% [markdown]
# ### Run

# %%
steps = [1, 2, 4, 8, 16, 32, 64]
cards_float = JointTable(cube)  # floats are faster; the numbers are the same
losses = [float(forward.nelbo(cards_float, [1 - k / n for k in range(n)] + [0])) for n in steps]
entropy = float(information.entropy(p))
tc = float(information.total_correlation(p))
dtc = float(information.dual_total_correlation(p))

_, axes = plt.subplots(figsize=(3.6, 2.2))
axes.plot(steps, losses, "o-", color="#0072B2")
axes.plot(steps, [entropy + (tc + dtc) / n for n in steps], "--", color="#E69F00")
axes.axhline(entropy, color="0.4", linestyle=":")
axes.text(1, entropy - 0.05, "entropy of a card: 1.75 bits", color="0.4", fontsize=7, va="top")
axes.text(2.1, 2.0, "no more than entropy + (TC + DTC)/T", color="#B07000", fontsize=7)
axes.text(0.97, 1.65, "perfect\nmodel", color="#0072B2", fontsize=7, va="top")
axes.set_xscale("log", base=2)
axes.set_xticks(steps, [str(n) for n in steps])
_ = axes.set(xlabel="steps T of the grid", ylabel="loss (nats)", ylim=(0, 3.2))

# %%
print("continuous time:", forward.continuous_nelbo(p), "= entropy:", information.entropy(p))
assert forward.continuous_nelbo(p) == information.entropy(p)
assert information.entropy(p, base=2) == Fraction(7, 4)  # 1.75 bits
assert least[1] - information.entropy(p) == information.total_correlation(p)
assert all(later < loss for loss, later in pairwise(losses))
assert all(0 < loss - entropy <= (tc + dtc) / n for n, loss in zip(steps, losses, strict=True))

# %% [markdown]
# ### Explain
#
# The least loss is the entropy of the data plus a *gap* of the grid (claim
# [A2](../paper_notes.md#the-claims)):
#
# - with one step the gap is the total correlation;
# - a finer grid never makes it larger, and T equal steps have a gap of at most (TC + DTC)/T. (DTC,
#   the dual total correlation, comes back in lesson 3);
# - in continuous time the gap is 0 and the loss is the entropy, whatever the noise schedule (claim
#   [A3](../paper_notes.md#the-claims)).
#
# So a perfect model of eight cards has a loss of 1.213 nats, 1.75 bits, and nothing is wrong with
# it. The paper is said to assume that training reaches zero loss. That has to mean zero *excess*
# loss: loss above the least possible one. Loss zero would need data with no uncertainty at all.
#
# That is why the library speaks of the **zero-loss denoiser** and computes it instead of training
# it. And why a loss curve alone does not tell how good a model is: you have to know the entropy.

# %%
assert round(entropy, 3) == 1.213
doubtful = excess_loss(p, models["a little doubtful"])
print("excess of the doubtful model:", round(float(doubtful), 4), "nats")
assert doubtful > 0
assert excess_loss(p, p.denoise) == 0

# %% [markdown]
# At real scale: four-letter words. The lattice has 27^4 cells (26 letters and the mask), and holds
# every answer of a perfect model of them.

# %%
words = gallery.words(4)
print("cells:", words.lattice().values.size)
print("after th··:", end=" ")
third = words.denoise([ord(c) - ord("a") for c in "th"] + [MASK, MASK])[2]
print({chr(97 + v): round(float(third[v]), 3) for v in np.argsort(-third)[:4]})
loss_in_one_step = float(forward.nelbo(words, [1, 0]))
print(f"loss in one step {loss_in_one_step:.2f}, in continuous time", end=" ")
print(f"{float(forward.continuous_nelbo(words)):.2f} nats for each word")
assert words.lattice().values.size == 27**4
assert abs(float(forward.continuous_nelbo(words)) - information.entropy(words)) < 1e-9

# %% [markdown]
# ## Exercise
#
# 1. *By hand.* Which pattern with at least one covered bit has no card? What does the perfect model
#    say to `??0` about the first bit?
# 2. *By hand, then check.* Three fair bits, the third is the sum of the first two modulo 2
#    (`gallery.parity(3)`). What is the loss of the perfect model in one step, and in continuous
#    time? In bits.
# 3. *Find data* on which the perfect model has loss 0, and data on which one step is as good as
#    continuous time.
# 4. A student reports: "my network has a loss of 5.2 nats on four-letter words, in continuous
#    time". How far is it from perfect? Another reports 4.1 nats. What do you say?
# 5. *To discuss.* The forgetful model reaches the least loss on the grid of one step. Is it then a
#    perfect model?

# %%
# your turn

# %% [markdown]
# ## Solution
#
# Open the cells below when you have tried.

# %% tags=["solution"]
# Solution 1
# Five cards end with 0: 000 four times, 110 once.
print("1. no card:", [pattern for pattern in count if "?" in pattern and count[pattern] == 0])
print("   ??0:", p.denoise([MASK, MASK, 0])[0].tolist())
assert [pattern for pattern in count if "?" in pattern and count[pattern] == 0] == ["10?", "?01"]
assert p.denoise([MASK, MASK, 0])[0].tolist() == [Fraction(4, 5), Fraction(1, 5)]

# %% tags=["solution"]
# Solution 2
# In one step every bit looks fair: 3 bits. In continuous time the entropy: 2 bits.
parity = gallery.parity(3, exact=True)
print("2.", forward.nelbo(parity, [1, 0]), "and", forward.continuous_nelbo(parity))
assert forward.nelbo(parity, [1, 0]) / 3 == forward.continuous_nelbo(parity) / 2

# %% tags=["solution"]
# Solution 3
# A single sequence; and independent bits (total correlation 0, so there is no gap).
sure = JointTable([[0, 1], [0, 0]], exact=True)
independent = JointTable(np.multiply.outer([1, 3], [2, 1]), exact=True)
print("3.", forward.nelbo(sure, [1, half, 0]), "and", forward.nelbo(independent, [1, 0]))
assert forward.nelbo(sure, [1, half, 0]) == 0
assert forward.nelbo(independent, [1, 0]) == forward.continuous_nelbo(independent)

# %% tags=["solution"]
# Solution 4
# The entropy is 4.18 nats. 5.2 is about 1 nat above. 4.1 is below what is possible.
entropy_of_words = float(information.entropy(words))
print(
    f"4. excess {5.2 - entropy_of_words:.2f} nats; 4.1 lies below {entropy_of_words:.2f}: a mistake"
)
assert round(entropy_of_words, 2) == 4.18
assert entropy_of_words > 4.1

# %% [markdown] tags=["solution"]
# **Solution 4**
#
# The loss was estimated from too few examples, on its own training set, or with
# weights that leave something out. A true expected loss cannot be below the entropy.

# %% [markdown] tags=["solution"]
# **Solution 5**
#
# No. The grid of one step asks only one question, "everything masked", and the forgetful model
# answers it perfectly. A loss tells nothing about questions that it does not ask.
