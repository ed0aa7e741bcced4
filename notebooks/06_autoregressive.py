# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 6. Autoregressive in disguise
#
# *Which place comes next, who decides it, and what to train for.*
#
# **Learning goals.** After this lesson you can
#
# 1. compute in which order a decoder fills in places, and say how close that is to left to right;
# 2. tell apart what comes from the data, from the score, and from a rule for ties;
# 3. say which masks training shows, which ones inference meets, and what the difference costs;
# 4. compare ways to write in parallel at equal numbers of rounds, and find out when small blocks
#    are a good idea;
# 5. say what context on both sides is worth, in bits.
#
# **Time needed.** 60 minutes: 45 for sections 1 to 4, 15 for the exercises.
#
# **Prerequisites.** Lesson 1; total correlation and rounds from lesson 3.
#
# **The picture to keep.** A row of small maps: across, the place; down, the round. A diagonal means
# left to right. Change the data, or only the rule for ties, and the diagonal is gone.

# %% [markdown]
# ## 1. In which order?
#
# A masked model may fill in any place next. A common rule: take the place where the model is *most
# confident*. It is often said that this ends up going from left to right, so that the model is
# autoregressive in disguise. *Why mask diffusion does not work* (arXiv 2510.03289) is reported to
# say that the most reliable generation is probably still autoregressive. Let us see what the order
# depends on.
#
# ### Predict
#
# Seven bits. Each differs from the one before with probability 1/10. The rule: the most confident
# place first; of equally confident places the leftmost.
#
# 1. The first bit is known. In which order are the others filled in?
# 2. The *last* bit is known. In which order now?
# 3. The bit in the middle is known. And now?
# 4. Other data: the 24 permutations of four tokens, nothing known. Which place is the most
#    confident?

# %% [markdown]
# ### Run
#
# `order` computes the probability that each place is revealed in each round, exactly. Kendall's
# *tau* is 1 for left to right, −1 for right to left, and 0 for no direction at all.

# %%
from sims import order, policies
from theory import gallery

most_confident = policies.TopK(1)
bits = gallery.binary_symmetric(7, 0.1)


def places(p, decoder, observed=()):
    """The place that is the likeliest to be revealed in each round, and tau."""
    found = order(p, decoder, observed=observed)
    first = [found.sites[k] + 1 for k in found.revealed.argmax(axis=1)]  # counted from 1
    return first, round(float(found.kendall), 2)


for known in ([0], [6], [3]):
    sequence, tau = places(bits, most_confident, known)
    print(f"known: place {known[0] + 1}   order {sequence}   tau {tau}")

assert places(bits, most_confident, [0]) == ([2, 3, 4, 5, 6, 7], 1)
assert places(bits, most_confident, [6]) == ([6, 5, 4, 3, 2, 1], -1)
assert places(bits, most_confident, [3])[0] == [3, 2, 1, 5, 6, 7]

# %%
permutations = gallery.permutations(4)
from_left = most_confident
from_right = policies.Mirrored(most_confident)  # only the rule for ties differs
for name, decoder in (("ties from the left", from_left), ("ties from the right", from_right)):
    print(f"permutations, {name}: order, tau =", *places(permutations, decoder))

assert places(permutations, from_left)[1] == 1
assert places(permutations, from_right)[1] == -1

# %% [markdown]
# ### Explain
#
# On the chain the most confident place is a neighbour of a known one. So what is known *grows*. If
# the prompt is on the left, that looks like left to right. If it is on the right, it looks like
# right to left. In the middle it grows to both sides.
#
# For permutations *all* places are equally certain, in every round. The order is that of the rule
# for ties: turn the rule round, and the order turns round. It says nothing about the data and
# nothing about the model. Somebody who measures the order without looking at ties measures
# `argmax`.
#
# Real words, four letters, nothing known:

# %%
from sims import orders

words = gallery.words(4)
for sequence, probability in orders(words, most_confident).items():
    print("order", *(site + 1 for (site,) in sequence), f" probability {probability:.3f}")
assert round(float(order(words, most_confident).left_to_right), 2) == 0.69

# %% [markdown]
# About two times in three from left to right. Now twelve words of English prose (a chain of words,
# with an end of text), the first one known. Too many sequences for a table, so draw some:

# %%
import numpy as np

from sims import decode, order_of
from theory import corpora

prose = corpora.english().chain(12)
rng = np.random.default_rng(0)
written = decode(prose, most_confident, rng, 500, observed=[0], trajectory=True, progress=False)
found = order_of(written, [0])
print(f"tau {float(found.kendall):.2f} (500 draws)")
for site, probability in zip(found.sites, found.revealed[0], strict=True):
    if probability > 0.01:
        print(f"word {site + 1} is filled in first with probability {probability:.2f}")
assert found.kendall < 0
assert found.revealed[0][-1] > 0.3

# %% [markdown]
# On real prose the most confident place is often the *last* one, far away: by then the text may be
# over, and "over" stays over. Confidence jumps to the end. (You met this end of text in lesson 5.)
#
# The picture to keep shows eight kinds of data. First row: by confidence, ties from the left.
# Second row: the same with ties from the right. Where the two differ, the order is not made by the
# data. Third row: the best possible decoder (lesson 8).
#
# Some figures of this lesson take longer to compute than to look at. Their numbers are recorded in
# the package; `python -m figures --check` computes them again and compares.

# %%
import matplotlib.pyplot as plt

from figures import FIGURES
from figures.files import recorded_data

plt.style.use("figures.paper")

maps = recorded_data(FIGURES["reveal_order"])
picture = FIGURES["reveal_order"].draw(maps)

# %%
taus = {
    (data, decoder): tau
    for data, decoder, tau in zip(
        *(maps["numbers"][column] for column in ("data", "decoder", "kendall")), strict=True
    )
}
left, right = "by confidence", "ties from the right"
for data in ("chain", "parity", "permutations"):
    print(
        f"{data:12} tau {taus[data, left]:5.2f}, with ties from the right {taus[data, right]:5.2f}"
    )
assert taus["chain", left] == taus["chain", right] == 1  # the data
assert taus["parity", left] == 1 == -taus["parity", right]  # the rule for ties

# %% [markdown]
# So: how autoregressive a decoder is depends on the data, on the score and on ties (claim
# [E2](../paper_notes.md#the-claims)). It is no property of masks.

# %% [markdown]
# ## 2. What training shows, what inference asks
#
# Training hides random places: first a share t, uniform between 0 and 1, then each place with
# probability t. Inference from left to right asks about *prefixes* only: nothing known, the first
# place known, the first two, ...
#
# ### Predict
#
# Eight places.
#
# 1. How many patterns of known and hidden places are there? How many of them are prefixes?
# 2. What share of training falls on prefixes: 1/28, 1/4 or 1/2?
# 3. And with 64 places? Does the share fall exponentially?

# %% [markdown]
# ### Run

# %%
from fractions import Fraction
from math import comb

from sims import training

for length in (4, 8, 16, 64):
    share = training.share_on_prefixes(length)
    print(
        f"{length:2} places: {length + 1} prefixes of {2**length} patterns, "
        f"{float(share):.4f} of training"
    )
    assert share == sum(Fraction(1, comb(length, k)) for k in range(length + 1)) / (length + 1)
    assert Fraction(2, length + 1) <= share <= Fraction(2, length + 1) * (1 + Fraction(2, length))

# %%
masks = FIGURES["training_masks"]
picture = masks.draw(masks.compute())

# %% [markdown]
# ### Explain
#
# A pattern with k known places gets 1/(L + 1), shared among all C(L, k) patterns of that size. So
# the two ends, nothing known and everything known, get 1/(L + 1) *each*. They carry nearly all of
# the share 2/L. (And a fully known text teaches nothing.) A prefix in the middle is exponentially
# rare. Both sentences are true, "prefixes are rare like 2/L" and "a middle prefix is exponentially
# rare" (claim [E1](../paper_notes.md#the-claims)). Say which one you mean.
#
# Left to right is only one decoder. Which patterns a decoder meets can be computed for any of them:

# %%
uniform = training.predicting(training.uniform_time(4))  # given that something is hidden
for name, decoder in (
    ("left to right", policies.LeftToRight()),
    ("most confident first", most_confident),
):
    compared = training.mismatch(training.visited(words, decoder), uniform)
    print(f"{name}: {float(compared.unused):.0%} of training is on patterns that never come up")

# %% [markdown]
# ### Predict
#
# Does the mismatch matter? Take a chain of six bits and learn from n samples, each one sequence
# with one mask. Then write from left to right.
#
# 1. With *infinitely* many samples: which is better, random masks or left-to-right masks?
# 2. With 1000 samples, and a learner that keeps one separate table for each pattern of known
#    tokens?
# 3. With 1000 samples, and a learner that knows that all places follow the same rule?

# %% [markdown]
# ### Run
#
# For separate tables the mean over all possible data sets is a formula; nothing is drawn.

# %%
chain = gallery.binary_symmetric(6, 0.1)
write = policies.LeftToRight()
kinds = {
    "random masks": training.predicting(training.uniform_time(6)),
    "left to right": training.predicting(training.left_to_right(6)),
    "best": training.predicting(training.best_masks(chain, write)),
}
excess = {
    name: {n: training.expected_excess(chain, write, table, n) for n in (100, 1000, 10_000)}
    for name, table in kinds.items()
}
for name, row in excess.items():
    print(f"{name:14}", "  ".join(f"n = {n}: {v:.3f} nats" for n, v in row.items()))

needed = training.rate(chain, write, kinds["random masks"])
enough = training.rate(chain, write, kinds["left to right"])
print(f"in the limit, random masks need {needed / enough:.1f} times as many samples")
assert excess["best"][1000] < excess["left to right"][1000] < excess["random masks"][1000]
assert abs(needed / enough - 665 / 63) < 1e-9  # where few samples are enough, it is even more:
assert training.expected_excess(chain, write, kinds["random masks"], 11 * 914) > 0.1
assert training.expected_excess(chain, write, kinds["left to right"], 914) < 0.1

never = training.expected_excess(chain, policies.FirstHitting(), kinds["left to right"], 10_000)
print(f"left-to-right masks, then random order, 10000 samples: {never:.2f} nats")
assert never > 1

# %% [markdown]
# Dotted in (a): a learner that shares one chain among all patterns. For that the numbers are drawn
# (16 data sets), so we look at the recorded ones.

# %%
learnt = recorded_data(FIGURES["training_strategies"])
picture = FIGURES["training_strategies"].draw(learnt)

# %%
marks = learnt["marks"]
rows = [dict(zip(marks, cells, strict=True)) for cells in zip(*marks.values(), strict=True)]
shared = {
    row["training"]: row["excess"]
    for row in rows
    if (row["data"], row["learner"], row["samples"]) == ("chain", "chain", 3000)
}
print("shared chain, 3000 samples, excess in nats:", shared)
assert shared["uniform time"] < shared["left to right"]

# %% [markdown]
# ### Explain
#
# 1. With infinitely many samples *none* of them: training masks do not change what is best to
#    answer (if they are drawn without looking at the tokens). They change how fast it is learnt
#    (claim [E4](../paper_notes.md#the-claims)). One exception: what is never shown is never learnt.
# 2. With separate tables the left-to-right masks need ten times fewer samples: each sample is spent
#    on a question that will be asked.
# 3. With a shared chain it is the other way round. Random masks show *more neighbours*, and every
#    neighbour helps everywhere.
#
# A network shares a lot, and nobody knows how much. So "training masks should match inference" is a
# statement about the learner as well.

# %% [markdown]
# ## 3. Small blocks?
#
# The paper is reported to recommend small blocks, one after another. A block of two letters means
# two letters in one round: half as many rounds. There are other ways to write two at a time.
#
# ### Predict
#
# The chain of seven bits again, four rounds.
#
# 1. Blocks of two neighbours lose 0.66 nats. How much do pairs lose that are *far from each other*?
# 2. Is there a way to lose nothing in less than seven rounds? In how many?
# 3. On which data would contiguous blocks lose nothing?

# %% [markdown]
# ### Run

# %%
from sims import output_distribution
from sims.comparison.strategies import SpreadOut
from theory import information, schedules

rivals = {
    "blocks of 2": policies.LeftToRight(2),
    "spread out": SpreadOut(4),
    "random, best sizes": policies.RandomOrder(schedules.optimal(bits, 4)),
    "halving": policies.Bisection(),
}
lost = {}
for name, decoder in rivals.items():
    q = output_distribution(bits, decoder)
    lost[name] = float(q.path_kl)
    print(f"{name:19} {float(q.expected_rounds):.0f} rounds, {abs(lost[name]):.3f} nats")
assert round(lost["blocks of 2"], 2) == 0.66
assert lost["spread out"] < lost["blocks of 2"] / 2
assert abs(lost["halving"]) < 1e-12

# %% [markdown]
# Choose the size of the blocks. The second line is about other data: four fair *latent* bits, and
# then four bits that each say whether three of the latents are not all equal.


# %%
latents = gallery.nae_sat(4, [(0, 1, 2), (1, 2, 3), (0, 2, 3), (0, 1, 3)])


def blocks(size):
    """What contiguous blocks lose, each written in one round."""
    for name, p in (("chain of 7 bits", bits), ("4 latents, 4 clauses", latents)):
        q = output_distribution(p, policies.LeftToRight(size))
        rounds, loss = float(q.expected_rounds), abs(float(q.kl))
        print(f"{name:21} blocks of {size}: {rounds:.0f} rounds, {loss:.3f} nats")


for size in (2, 3, 4):
    blocks(size)

# %%
try:
    from ipywidgets import IntSlider, interact
except ImportError:
    print("no slider here: change the numbers in the cell above and run it again")
else:
    interact(blocks, size=IntSlider(value=2, min=1, max=7))

# %% [markdown]
# All strategies on five kinds of data, with the best possible one of those that choose places
# before they draw (the line). Marks below the line know more than single predictions: they draw the
# tokens of a round together, or draw them first and check them.

# %%
strategies = recorded_data(FIGURES["inference_strategies"])
picture = FIGURES["inference_strategies"].draw(strategies)
compared = strategies["compared"]
for where, family, nats in zip(
    *(compared[column] for column in ("distribution", "strategy", "least_nats")), strict=True
):
    if where == "English words, 4 letters":
        print(f"words of four letters, as many rounds as blocks of 2: {family:16} {nats:.3f} nats")

# %% [markdown]
# ### Explain
#
# On a chain, neighbours are what depends most on each other. Contiguous blocks are the costly
# placement. Halving (the middle first, then the middles of both halves, ...) is lossless in 3
# rounds: whatever stands between two places separates them.
#
# On latents and clauses it is the other way round. Two blocks of *four* are lossless, because a
# block ends where the latents end. Blocks of *three* do lose. So smaller is not always better; what
# counts is where a block ends (claim [E5](../paper_notes.md#the-claims)).

# %%
of_latents = [float(output_distribution(latents, policies.LeftToRight(k)).kl) for k in range(1, 9)]
print("blocks of 1 to 8 on latents and clauses:", [round(abs(v), 3) for v in of_latents])
assert abs(of_latents[3]) < 1e-12
assert of_latents[2] > 0.3
assert output_distribution(bits, policies.Bisection()).expected_rounds == 3

# %% [markdown]
# ### Predict
#
# Seven bits are few. Take 64 of the same kind, then 256. All 64 at once lose 23.2 nats.
#
# 1. Blocks of four neighbours take 16 rounds. How much do they lose of the 64 bits: 1, 5 or 11
#    nats?
# 2. Places as far apart as possible, four in each of 16 rounds, too: how much?
# 3. Places far apart in eight rounds: every eighth place first, then others between them. Can
#    another decoder lose as little in *four* rounds?

# %% [markdown]
# ### Run
#
# No table holds 64 bits. What a fixed order loses on a chain is a formula, and the least that is
# lost in at most R rounds a short computation (lesson 8): of all decoders that choose places before
# they draw tokens, whatever they look at, and toss no coins.

# %%
from sims import fixed_batches, frontier


def lost_by(length, rounds):
    """What contiguous blocks, places far apart, and random places lose in so many rounds."""
    p = gallery.binary_symmetric(length, 0.1)
    orders = policies.LeftToRight(length // rounds), SpreadOut(rounds)
    fixed = [information.fixed_order_cost(p, fixed_batches(order, length)) for order in orders]
    at_random = information.path_cost(p, schedules.optimal(p, rounds))
    return [abs(float(nats)) for nats in (*fixed, at_random)]


long = {}
for length in (64, 256):
    print(f"{length} bits    blocks  far apart  random places, best sizes")
    for rounds in (4, 8, 16, 32):
        long[length, rounds] = lost_by(length, rounds)
        print(f"{rounds:4} rounds", "".join(f"{nats:10.4f}" for nats in long[length, rounds]))
assert [round(v, 1) for v in long[64, 16]] == [11.0, 0.0, 0.7]
assert all(in_blocks > 3 * at_random > 3 * apart for in_blocks, apart, at_random in long.values())

best = [float(point.kl) for point in frontier(gallery.binary_symmetric(64, 0.1), rounds=7)]
print("the best possible in 1 to 7 rounds:", np.round(best, 4))
assert best[1] < long[64, 16][0] / 2  # two rounds beat blocks in 16
assert abs(best[3] / long[64, 8][1] - 1) < 0.01  # four rounds are as good as places far apart in 8
assert abs(best[6]) < 1e-12

# %% [markdown]
# The package's figure has more decoders, and more data:

# %%
at_length = recorded_data(FIGURES["best_at_length"])
picture = FIGURES["best_at_length"].draw(at_length)

# %% [markdown]
# ### Explain
#
# 1. Eleven. Sixteen rounds in blocks lose more than *two* rounds of the best decoder, 4.1 nats.
#    What a block loses depends on its size: 256 bits in blocks of four lose four times as much.
# 2. A thousandth of a nat. How many rounds it takes is a matter of how far dependence reaches, and
#    not of the length: sixteen rounds do for 256 bits, too.
# 3. Yes. When every eighth place is known, the gaps between have nothing to do with each other. So
#    all of them can be halved at the same time, in three rounds instead of seven.
#
# At real lengths small blocks, on data like these, are the most expensive way to spend rounds: far
# worse than *random* places, which know nothing of the data but the sizes (claim
# [E5](../paper_notes.md#the-claims)). They have other merits, such as a cache, which are no matter
# of what is written.

# %% [markdown]
# ## 4. What is the right side worth?
#
# ### Predict
#
# A masked model sees both sides of a gap; an autoregressive one only the left.
#
# 1. The middle letter of a five-letter word: how many bits does it need if only the left is known?
#    And with both sides?
# 2. A gap of one word in a text: does the right side save a tenth, a third, or nearly all?
# 3. You write a text from left to right. How much do you lose by never looking to the right?

# %% [markdown]
# ### Run

# %%
letter = information.infilling(gallery.words(5), [2], base=2)
word = information.infilling(corpora.english().chain(8), [3], base=2)
for name, found in (("middle letter of five", letter), ("one word of a text", word)):
    print(
        f"{name}: left only {found.left_only:.2f} bits, both sides {found.both_sides:.2f}, "
        f"saved {found.price / found.left_only:.0%}"
    )
assert letter.price / letter.left_only > 0.9
assert 0.3 < word.price / word.left_only < 0.35

# %% [markdown]
# ### Explain
#
# What the right side takes away is a mutual information, I(gap; right | left), and a model that
# does not look at the right loses exactly that, no more (claim [E3](../paper_notes.md#the-claims)).
# For letters within a word it is nearly everything. For one word of this text it is about a third.
#
# And the third question: nothing. Where one writes from left to right anyway, nothing is known on
# the right. Both sides pay off in tasks that *have* two sides: filling gaps, changing a text,
# writing in another order.

# %% [markdown]
# ## Exercise
#
# 1. *By hand.* A token a is followed by b or c, each half of the time; both are followed by e.
#    Three places, the first is known to be a. Which place does the most-confident-first rule fill
#    in next? Is a chain always filled in from its prompt?
# 2. *With the library.* Which training masks are the best for halving (`policies.Bisection()`) on
#    the chain of six bits? Use `training.best_masks`, and compare with random masks at 1000
#    samples.
# 3. *Find out.* Write four-letter words in two rounds, two letters each. Of all three ways to split
#    the places into two pairs, in both orders: which is the best, which the worst? Is a block of
#    the first two letters a good idea? (`information.fixed_order_cost(words, [(0, 2), (1, 3)])` is
#    what a fixed order of batches loses.)
# 4. *Imperfect models.* One place at a time, a perfect model does not care about the order. Let the
#    model be overconfident: `Perturbed(bits, temperature=0.5)`. Compare left to right with
#    halving and with random order (`policies.FirstHitting()`). Which order suffers most? Why?

# %%
# your turn

# %% [markdown]
# ## Solution
#
# Open the cells below when you have tried.

# %% tags=["solution"]
# Solution 1
# The third place is certainly e, the second is b or c: of the *farther* place one is more
# confident.
from theory import MarkovChain

half = Fraction(1, 2)
diamond = MarkovChain(
    [1, 0, 0, 0], [[0, half, half, 0], [0, 0, 0, 1], [0, 0, 0, 1], [1, 0, 0, 0]], 3, exact=True
)
sequence, tau = places(diamond, most_confident, [0])
print("1. order", sequence)
assert sequence == [3, 2]

# %% tags=["solution"]
# Solution 2
# The masks that halving meets, more often where more is to be learnt.
halving = policies.Bisection()
best = training.predicting(training.best_masks(chain, halving))
for pattern in np.argwhere(best > 1e-12):
    print("2. known", pattern, f"share {float(best[tuple(pattern)]):.2f}")
mine = training.expected_excess(chain, halving, best, 1000)
theirs = training.expected_excess(chain, halving, kinds["random masks"], 1000)
print(f"   excess with 1000 samples: {mine:.3f} nats, with random masks {theirs:.3f}")
assert mine < theirs / 5

# %% tags=["solution"]
# Solution 3
# Compare all of them.
from itertools import combinations

pairs = {}
for one in combinations(range(4), 2):
    two = tuple(sorted(set(range(4)) - set(one)))
    pairs[one, two] = float(information.fixed_order_cost(words, [one, two]))
for (one, two), value in sorted(pairs.items(), key=lambda item: item[1]):
    print("3. places", *(i + 1 for i in one), "then", *(i + 1 for i in two), f"{value:.3f} nats")
assert max(pairs, key=pairs.__getitem__) == ((0, 1), (2, 3))
assert min(pairs, key=pairs.__getitem__) == ((0, 3), (1, 2))

# %% [markdown] tags=["solution"]
# **Solution 3**
#
# The first two letters together are the worst pair: neighbours. First and last letter, then the two
# in the middle, is the best. No decoder without coins does better in two rounds, not even one that
# looks at the letters: 1.260 nats is the optimum of the figure (lesson 8 computes it).

# %% tags=["solution"]
# Solution 4
# Left to right asks the questions with the most confident answers, and pays for each of them.
from sims import Perturbed, split

bold = Perturbed(bits, temperature=0.5)
orders_tried = {
    "left to right": policies.LeftToRight(),
    "halving": policies.Bisection(),
    "random": policies.FirstHitting(),
}
learning = {name: float(split(bits, d, denoiser=bold).learning) for name, d in orders_tried.items()}
print("4. learning part in nats:", {name: round(value, 3) for name, value in learning.items()})
assert max(learning, key=learning.__getitem__) == "left to right"

# %% [markdown] tags=["solution"]
# **Solution 4**
#
# For every model and every decoder that chooses places before it draws, the loss is a *learning*
# part and a *factorisation* part (claim [E6](../paper_notes.md#the-claims)). For halving the second
# part is zero on a chain. All that is left is how wrong the answers are at the questions that are
# asked.
