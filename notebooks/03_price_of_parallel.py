# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 3. The price of parallel
#
# *A schedule makes steps of the profile, and loses the area.*
#
# **Learning goals.** After this lesson you can
#
# 1. compute by hand what it costs to write several tokens in one round: the total correlation;
# 2. draw the profile of a small distribution, and the cost of a schedule as an area;
# 3. decide whether large batches belong first or last, and say which data want which;
# 4. find the best schedule for a number of rounds, and the fewest rounds for a loss;
# 5. say of a longer text which error stays and which one grows.
#
# **Time needed.** 60 minutes: 15 for section 1, 15 for section 2, 10 for section 3, 5 each for
# sections 4 and 5, 10 for the exercises.
#
# **Prerequisites.** Lessons 1 and 2. Entropy in bits: a fair bit has 1, a sure one 0.
#
# **The picture to keep.** A falling curve and a staircase above it. Each stair is one round, as
# wide as its batch. The area between is what you lose.

# %% [markdown]
# ## 1. Two kinds of three bits
#
# - **Copy.** A fair bit, three times: 000 or 111.
# - **Parity.** Two fair bits, and a third that makes the number of ones even: 000, 011, 101, 110.
#
# The model is perfect. In each round it writes a *batch* of bits, each drawn on its own from the
# model's prediction, given the bits of earlier rounds.

# %% [markdown]
# ### Predict
#
# How much is lost, in bits? (Lost is the divergence KL(p ‖ q) from the data p to what is written,
# q: 0 means exactly the data.) Fill in the table. Think before you count.
#
# |                       | copy | parity |
# |-----------------------|------|--------|
# | all three at once     |      |        |
# | two, then one         |      |        |
# | one, then two         |      |        |

# %% [markdown]
# ### Run
#
# By hand: follow a decoder, and multiply. `batches` says which bits are written in which round.

# %%
from fractions import Fraction
from itertools import product
from math import log2

copy = {"000": Fraction(1, 2), "111": Fraction(1, 2)}
parity = dict.fromkeys(("000", "011", "101", "110"), Fraction(1, 4))


def prediction(data, known, site, bit):
    """The perfect model: p(bit at site | known bits)."""
    fitting = {x: v for x, v in data.items() if all(x[i] == b for i, b in known.items())}
    if not fitting:  # never in the data: any answer will do for the divergence; take 1/2
        return Fraction(1, 2)
    return sum(v for x, v in fitting.items() if x[site] == bit) / sum(fitting.values())


def probability(data, batches, text):
    """How likely it is that the decoder writes this text."""
    known, result = {}, Fraction(1)
    for batch in batches:
        for site in batch:  # all of them with what was known before the round
            result *= prediction(data, known, site, text[site])
        known.update({site: text[site] for site in batch})
    return result


def lost(data, batches):
    """KL(p || q) in bits."""
    return sum(v * log2(v / probability(data, batches, x)) for x, v in data.items())


decoders = {
    "all three at once": [(0, 1, 2)],
    "two, then one": [(0, 1), (2,)],
    "one, then two": [(0,), (1, 2)],
}
for name, batches in decoders.items():
    assert sum(probability(copy, batches, "".join(x)) for x in product("01", repeat=3)) == 1
    print(f"{name:18} copy {lost(copy, batches):.0f}   parity {lost(parity, batches):.0f}")

# %%
found = [[lost(data, batches) for data in (copy, parity)] for batches in decoders.values()]
assert found == [[2, 1], [1, 0], [0, 1]]

# %% [markdown]
# ### Explain
#
# A batch loses the **total correlation** of its bits given what is known:
#
# $$TC(X_1, \ldots, X_k \mid c) = \sum_i H(X_i \mid c) - H(X_1, \ldots, X_k \mid c)$$
#
# the entropies that the round spends, minus the entropy that there is. Over several rounds: the
# sum, averaged over what the earlier rounds wrote, with the probabilities of the data (claim
# [B1](../paper_notes.md#the-claims)).
#
# - Copy: once one bit is known, the others are sure. The *first* batch must be small.
# - Parity: two bits say nothing about each other. Only the last one is sure. The *last* batch must
#   be small.
#
# Both take two rounds without loss. In opposite order.

# %%
from sims import output_distribution, policies
from theory import (
    MASK,
    Exchangeable,
    JointTable,
    Permutations,
    bounds,
    gallery,
    information,
    schedules,
)


def table(data):
    """The same data as a distribution of the library."""
    weights = [data.get("".join(x), 0) for x in product("01", repeat=len(next(iter(data))))]
    return JointTable([[weights[0:2], weights[2:4]], [weights[4:6], weights[6:8]]], exact=True)


p = table(copy)
print("all three:", information.total_correlation(p, base=2), "bits")
print("the last two, first known:", information.total_correlation(p, given=[0, MASK, MASK]))
assert information.total_correlation(p, base=2) == 2
assert information.total_correlation(p, given=[0, MASK, MASK]) == 0
assert information.total_correlation(table(parity), sites=[0, 1]) == 0
assert information.total_correlation(table(parity), base=2) == 1

# %% [markdown]
# ## 2. The profile, and the staircase
#
# From now on the sets are *random*: in each round a uniformly random set of masked sites, of a size
# fixed in advance. The sizes are the **schedule**. What counts then is one curve:
#
# > the **profile** f(j): the mean entropy of one more site when j random sites are known.
#
# ### Predict
#
# 1. Draw f(0), f(1), f(2) for copy and for parity.
# 2. What is f(0) + f(1) + f(2)?
# 3. A round starts with j sites known and writes a batch of s. It draws each site as if how many
#    were known? What does it spend, and what is there? So what does it lose?

# %% [markdown]
# ### Run

# %%
for name, data in (("copy", copy), ("parity", parity)):
    p = table(data)
    f = information.profile(p, base=2)
    print(
        f"{name:7} profile {f.tolist()}   sum {sum(f)}   entropy {information.entropy(p, base=2)}"
    )
    assert sum(f) == information.entropy(p, base=2)
assert information.profile(table(copy), base=2).tolist() == [1, 0, 0]
assert information.profile(table(parity), base=2).tolist() == [1, 1, 0]

# %%
import matplotlib.pyplot as plt

plt.style.use("figures.paper")


def show(p, sizes):
    """The profile of p, and what a schedule loses: the area between stairs and curve."""
    f = [float(v) for v in information.profile(p, base=2)]
    _, axes = plt.subplots(figsize=(3.6, 2.2))
    start, total = 0, 0.0
    for size in sizes:
        for j in range(start, start + size):  # the round spends f(start), there is f(j)
            axes.bar(j, f[start] - f[j], bottom=f[j], width=1, align="edge", color="#E69F00")
            total += f[start] - f[j]
        axes.plot([start, start + size], [f[start], f[start]], "-", color="black")
        start += size
    axes.stairs(f, range(len(f) + 1), color="#0072B2", baseline=None)
    axes.plot(range(len(f)), f, "o", color="#0072B2")
    axes.set(xlabel="known sites j", ylabel="f(j), bits", ylim=(0, max(f) * 1.1), xlim=(0, len(f)))
    axes.set_xticks(range(len(f) + 1))
    axes.set_title(f"sizes {tuple(sizes)} lose {total:.3f} bits")
    return total


for sizes in ((3,), (1, 2), (2, 1)):
    assert show(table(parity), sizes) == information.path_cost(table(parity), sizes, base=2)

# %% [markdown]
# Choose data and schedule, where `ipywidgets` is installed. (Without: change the cell above.)

# %%
several = {
    "copy of 8 bits": gallery.repeated_bit(8),
    "noisy copies": gallery.repeated_bit(8, noise=0.1),
    "parity of 8 bits": gallery.parity(8),
    "four pairs": gallery.coupled_pairs(4),
    "four ones, four zeros": gallery.balanced(8),
}


def choose(data, first, second):
    """Three rounds: the sizes of the first and of the second batch."""
    show(several[data], (first, second, 8 - first - second))


choose("noisy copies", 2, 3)
try:
    from ipywidgets import IntSlider, interact
except ImportError:
    print("no sliders here: change the call of choose(...) and run the cell again")
else:
    sliders = {"first": IntSlider(2, 1, 4), "second": IntSlider(2, 1, 3)}
    interact(choose, data=list(several), **sliders)

# %% [markdown]
# ### Explain
#
# A round draws each of its sites as if only the j sites before the round were known. It spends
# f(j) for each, s f(j) in all. What is there is f(j) + f(j+1) + ... + f(j+s−1). The difference is
# lost: the area between a stair of height f(j) and the curve. Since f never rises, it is never
# negative. In numerical analysis this is the *left Riemann sum* of f, minus its integral.
#
# That the mean of KL(p ‖ q) over the random orders is exactly this area is claim
# [B2](../paper_notes.md#the-claims). It is a theorem of Chen, Cong and Li (arXiv 2511.04647), as we
# know it from how Wainwright restates it.
#
# Hidden assumptions: the model is perfect; the sets are random; the sizes do not depend on what was
# written.
#
# And one trap. The area is the mean over orders of the divergence, `path_kl`. What is *written* is
# the mixture over the orders, and a mixture can only be nearer to the data: `kl` is at most
# `path_kl`.

# %%
pairs = gallery.coupled_pairs(2, exact=True)  # two pairs of equal bits
q = output_distribution(pairs, policies.RandomOrder((2, 2)))
print("area:", information.path_cost(pairs, (2, 2)), "  path_kl:", q.path_kl, "  kl:", q.kl)
assert q.path_kl == information.path_cost(pairs, (2, 2))
assert q.kl < q.path_kl

# %% [markdown]
# ## 3. Large first or large last?
#
# ### Predict
#
# Eight bits, three rounds. Which sizes are best for
#
# - four ones and four zeros in random places (*balanced*)? Seven known bits make the last one sure;
#   a few known bits say little;
# - a chain in which each bit differs from the one before it with probability 1/10?
# - four pairs of equal bits?

# %% [markdown]
# ### Run
#
# The package's figure `cost_picture`: equal sizes above, the best sizes below.

# %%
from figures import FIGURES

cost = FIGURES["cost_picture"]
numbers = cost.compute()
picture = cost.draw(numbers)

# %%
best = {}
for name, p in (
    ("balanced", gallery.balanced(8)),
    ("chain", gallery.binary_symmetric(8, 0.1)),
    ("pairs", gallery.coupled_pairs(4)),
):
    best[name] = schedules.optimal(p, 3)
    equal = schedules.uniform(8, 3)
    losses = [information.path_cost(p, sizes, base=2) for sizes in (best[name], equal)]
    print(f"{name:9} best {best[name]} loses {losses[0]:.3f} bits, equal {equal} {losses[1]:.3f}")
assert best["balanced"] == (6, 1, 1)  # large first
assert best["chain"][-1] == max(best["chain"]) > best["chain"][0]  # large last
assert max(best["pairs"]) - min(best["pairs"]) == 1  # as equal as possible

# %% [markdown]
# ### Explain
#
# Look at the shape of the profile.
#
# - *Concave*, falling late, like parity: the first sites are independent. **Large first.**
# - *Convex*, falling early, like copies: a few sites tell all others. **Large last.**
# - A straight line: equal.
#
# Two numbers measure which it is. The total correlation TC is what one round loses. The *dual*
# total correlation, DTC, is the entropy of the whole minus what each site still has when all others
# are known. Copies have a large TC and a small DTC, parity the other way round.

# %%
for name, p in (("copy", gallery.repeated_bit(8)), ("parity", gallery.parity(8))):
    tc = information.total_correlation(p, base=2)
    dtc = information.dual_total_correlation(p, base=2)
    print(f"{name:7} TC {tc:.3f} bits   DTC {dtc:.3f} bits")
    assert sorted([round(tc, 9), round(dtc, 9)]) == [1, 7]

# %% [markdown]
# If you only know that *one* of the two is small, sizes in geometric progression do (claim
# [B5](../paper_notes.md#the-claims), restated from Chen, Cong and Li; this clean form is ours):
# with ratio r, large first loses at most r TC, large last at most r DTC. For 1024 bits these are 11
# or 15 rounds instead of 1024.

# %%
first = schedules.total_correlation(1024, 0.5)
last = schedules.dual_total_correlation(1024, 0.5)
print("large first:", first)
print("large last: ", last)
assert (len(first), len(last)) == (11, 15)

copies = Exchangeable([1] + [0] * 1023 + [1])  # 1024 equal bits, given by the number of ones
half_ones = Exchangeable([0] * 512 + [1] + [0] * 512)  # 512 ones in random places
for name, p in (("copies", copies), ("half ones", half_ones)):
    losses = [float(information.path_cost(p, sizes, base=2)) for sizes in (first, last)]
    print(f"{name:9}  large first loses {losses[0]:7.2f} bits   large last {losses[1]:7.2f}")
    for bound in (bounds.total_correlation_schedule, bounds.dual_total_correlation_schedule):
        assert bound(p, 0.5).quantity <= bound(p, 0.5).bound
assert round(information.path_cost(copies, first, base=2)) == 511
assert abs(information.path_cost(copies, last, base=2)) < 1e-6
assert information.path_cost(half_ones, first) < information.path_cost(half_ones, last) / 3

# %% [markdown]
# ## 4. At real scale
#
# ### Predict
#
# Four-letter English words. Is the profile concave or convex: does one known letter say much about
# the others, or does it take three of them to make the fourth sure? Three rounds: (2, 1, 1), (1, 2,
# 1) or (1, 1, 2)?

# %% [markdown]
# ### Run

# %%
words = gallery.words(4)
print("profile, bits:", information.profile(words, base=2).round(2))
print("sizes          lost (bits)   a word of the data in")
for sizes in schedules.every(4):
    q = output_distribution(words, policies.RandomOrder(sizes))
    print(f"{sizes!s:15} {information.path_cost(words, sizes, base=2):8.2f} {q.valid_mass:18.1%}")
    assert abs(q.path_kl - information.path_cost(words, sizes)) < 1e-9

# %%
total = show(words, (1, 1, 2))
assert schedules.optimal(words, 3) == (1, 1, 2)
f = information.profile(words, base=2)
falls = f[:-1] - f[1:]
assert falls[0] > falls[1] > falls[2]  # convex: it falls most at the start

# %% [markdown]
# And no table at all: a chain of 64 bits, each different from the last with probability 1/10. How
# many rounds until at most 0.1 nats are lost?

# %%
chain = gallery.binary_symmetric(64, 0.1)
few = schedules.optimal(chain, target=0.1)
equal = next(
    rounds
    for rounds in range(1, 65)
    if information.path_cost(chain, schedules.uniform(64, rounds)) <= 0.1
)
print("best sizes:", len(few), "rounds, from", few[0], "to", few[-1], "  equal sizes:", equal)
assert (len(few), equal) == (41, 60)

# %% [markdown]
# ### Explain
#
# One known letter of a short word says much, so the profile is convex: large last. The last letters
# may be written together, the first ones not.
#
# Random order is not all there is. On this chain, halving writes exactly the data in 7 rounds: the
# middle bit, then the middles of both halves, and so on. Bits that are far apart are independent
# given what lies between. Which *places* a round takes matters as much as how many (claim
# [B11](../paper_notes.md#the-claims)).

# %%
from sims import fixed_batches

rounds = fixed_batches(policies.Bisection(), 64)
print(len(rounds), "rounds lose", abs(float(information.fixed_order_cost(chain, rounds))), "nats")
assert len(rounds) == 7
assert abs(float(information.fixed_order_cost(chain, rounds))) < 1e-9

# %% [markdown]
# ## 5. Two errors
#
# The data: bits in which no 1 stands beside another 1, otherwise as random as they can be, a chain.
# Each of K *steps* reveals each masked place with a probability of its own, so that the steps
# reveal equally many on average. These are the *ancestral* steps of many samplers.
#
# Nobody reads a divergence. Two numbers that people do report:
#
# - the loss **per token**, KL / L, which is what a perplexity measures;
# - the **sequence error rate**: how many of the texts have a 1 beside a 1 somewhere.
#
# ### Predict
#
# 1. 64 places in 16 steps: about 23 texts in 100 are wrong. Now 128 places in 16 steps. What
#    becomes of the loss per token? What becomes of the sequence error rate?
# 2. How many steps do 128 places need for 23 in 100?

# %% [markdown]
# ### Run
#
# No table has 2^128 cells. But between two known places of a chain nothing depends on the rest, so
# `on_chain` follows what is written gap by gap, without drawing.

# %%
from sims import on_chain


def equal_steps(length, steps):
    """Bits with no 1 beside a 1, written in so many equal ancestral steps."""
    times = [Fraction(k, steps) for k in range(steps + 1)]
    return on_chain(gallery.golden_mean_chain(length), policies.Bernoulli(times))


LENGTHS, STEPS = (16, 32, 64, 128), (4, 8, 16, 32)
written = {(length, k): equal_steps(length, k) for length in LENGTHS for k in STEPS}
per_token = {(length, k): float(q.path_kl) / length for (length, k), q in written.items()}
wrong = {setting: float(q.sequence_error_rate) for setting, q in written.items()}

for title, numbers in (("nats per token", per_token), ("texts that are wrong", wrong)):
    print(f"{title:22}", *(f"{k:3} steps" for k in STEPS))
    for length in LENGTHS:
        print(f"   {length:4} places          ", *(f"{numbers[length, k]:9.4f}" for k in STEPS))
assert round(wrong[64, 4], 3) == 0.647
assert round(wrong[64, 16], 3) == 0.229

# %% [markdown]
# ### Explain
#
# Look down the columns of the first table: they are nearly constant, but for the two ends of a
# text. The loss per token depends on the number of *steps* alone. Twice as long a text loses twice
# as much, and is twice as long.
#
# In the second table it is the *diagonals*: on these data the sequence error rate depends on places
# per step, L / K. A text is right if it is right everywhere. The logarithm of how likely that is
# adds up over the places, and nothing divides it by them.
#
# So whoever looks at perplexity needs as many steps for a book as for a sentence. Whoever wants a
# text without an error needs twice as many for twice as many places (claim
# [B20](../paper_notes.md#the-claims); that the two errors grow so differently is said in the
# abstract of Feng et al., arXiv 2502.09622).
#
# One inequality links them, for all data: the loss in nats is at least −log(1 − SER).

# %%
from math import log

for k in STEPS:
    column = [per_token[length, k] for length in LENGTHS]
    assert max(column) < 1.07 * min(column)
for length, k in zip(LENGTHS, STEPS, strict=True):
    print(f"{length} places in {k} steps: {wrong[length, k]:.3f} of the texts are wrong")
    assert abs(wrong[length, k] - wrong[64, 16]) < 0.01
assert all(loss * length >= -log(1 - wrong[length, k]) for (length, k), loss in per_token.items())

# %% [markdown]
# The same as a picture, which goes on to 256 places:

# %%
from figures.files import recorded_data

two_errors = recorded_data(FIGURES["two_errors"])
picture = FIGURES["two_errors"].draw(two_errors)

# %% [markdown]
# ## Exercise
#
# 1. *By hand.* The eight cards of lesson 2: 000 four times, 011 twice, 110, 111. Two rounds: one
#    and then two, or two and then one? Guess from the counts, then compute.
# 2. *Find data* for which every schedule of two rounds loses the same, but not nothing. (Four sites
#    are not needed.)
# 3. *Published numbers.* A random order of eight different tokens (`Permutations(8)`) is written in
#    four rounds. Wen, Liang and Lu (arXiv 2608.25505) print 1.51457 bits for the best sizes and
#    1.87072 for equal ones. Recompute both, and find the best sizes.
# 4. *A rule.* For copies of one bit, what a schedule loses depends on the size of one batch only.
#    Which one, and how? Show it.
# 5. *At length.* For the data of section 5, −log(1 − SER) is about c L / K. Find c. How many equal
#    steps are needed for 1024 places, if 1 text in 100 may be wrong? Compare with one place at a
#    time.
# 6. *To discuss.* Your model is not perfect. Does the area still tell what you lose?

# %%
# your turn

# %% [markdown]
# ## Solution
#
# Open the cells below when you have tried.

# %% tags=["solution"]
# Solution 1
# One card in two is 000, and the profile falls more at its end than at its start.
cards = JointTable([[[4, 0], [0, 2]], [[0, 0], [1, 1]]], exact=True)
f = [round(float(v), 3) for v in information.profile(cards, base=2)]
two = {sizes: float(information.path_cost(cards, sizes, base=2)) for sizes in ((1, 2), (2, 1))}
print("1. profile", f, {sizes: round(loss, 3) for sizes, loss in two.items()})
assert f[0] - f[1] < f[1] - f[2]
assert two[2, 1] < two[1, 2]

# %% tags=["solution"]
# Solution 2
# Three sites: (1, 2) loses f(1) - f(2), (2, 1) loses f(0) - f(1). A straight profile, so: a pair
# of equal bits and an independent third one, for instance.
straight = JointTable([[[1, 1], [0, 0]], [[0, 0], [1, 1]]], exact=True)
print("2.", [str(information.path_cost(straight, s, base=2)) for s in ((1, 2), (2, 1))])
assert information.path_cost(straight, (1, 2)) == information.path_cost(straight, (2, 1)) != 0

# %% tags=["solution"]
# Solution 3
order = Permutations(8)
sizes = schedules.optimal(order, 4)
print(
    "3.",
    sizes,
    [round(float(information.path_cost(order, s, base=2)), 5) for s in (sizes, (2,) * 4)],
)
assert sizes == (3, 2, 2, 1)
assert abs(information.path_cost(order, sizes, base=2) - 1.51457) < 1e-5
assert abs(information.path_cost(order, (2, 2, 2, 2), base=2) - 1.87072) < 1e-5

# %% tags=["solution"]
# Solution 4
# The first: the profile is 1, 0, 0, ..., so only the first stair has anything above the curve.
copies_of_six = gallery.repeated_bit(6)
for sizes in schedules.every(6):
    assert abs(information.path_cost(copies_of_six, sizes, base=2) - (sizes[0] - 1)) < 1e-9
print("4. first batch - 1")

# %% tags=["solution"]
# Solution 5
# c is 0.066 at most, so c 1024 / K = 0.01 needs more than six steps for each place. One place at a
# time takes 1024 rounds and makes no error at all: ancestral steps keep drawing two neighbours in
# one step, now and then, however many steps there are.
constants = [-log(1 - error) * k / length for (length, k), error in wrong.items()]
print(f"5. c from {min(constants):.4f} to {max(constants):.4f}")
needed = -max(constants) * 1024 / log(0.99)
print(f"   {needed:.0f} steps for 1024 places")
assert 6 * 1024 < needed < 7 * 1024
one_by_one = on_chain(gallery.golden_mean_chain(1024), policies.LeftToRight())
assert abs(one_by_one.sequence_error_rate) < 1e-9

# %% [markdown] tags=["solution"]
# **Solution 6**
#
# Not alone. The divergence then splits exactly into a part for learning and a part for writing
# in parallel, both at the contexts that the decoder visits (claim
# [E6](../paper_notes.md#the-claims)). For sizes fixed in advance the second part is still this
# area.
