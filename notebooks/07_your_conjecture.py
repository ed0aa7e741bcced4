# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 7. Check your own conjecture
#
# *State it, let the machine attack it, mend it, prove it.*
#
# **Learning goals.** After this lesson you can
#
# 1. turn a sentence into a function that is true or false for a distribution;
# 2. let a program search for the smallest distribution that refutes it, and read that off;
# 3. say what rounding does to "equal", and use arithmetic without rounding;
# 4. mend a refuted sentence, and prove the mended one with symbols;
# 5. write a check that *can* fail, and show that it can.
#
# **Time needed.** 60 minutes: 40 for sections 1 to 5, 20 for the exercises.
#
# **Prerequisites.** Lesson 1; total correlation from lesson 3; a little Python (functions).
#
# **The picture to keep.** A table of weights that gets emptier and emptier, until it is so small
# that you see at once why your sentence was false.

# %% [markdown]
# ## 1. A sentence, and the table that kills it
#
# Two numbers say how much the places of a sequence have to do with each other. For three bits:
#
# - **TC**, the total correlation: H(X₁) + H(X₂) + H(X₃) − H(X₁X₂X₃). What one parallel round loses.
# - **DTC**, the dual total correlation: the entropy of the whole minus what each bit still has when
#   the other two are known.
#
# Both are 0 for independent bits, and never negative. Somebody says:
#
# > TC is never larger than DTC.
#
# ### Predict
#
# True or false? If you think it is false: write down the *simplest* three bits for which it fails.
# Use as few sequences as you can.

# %% [markdown]
# ### Run
#
# A sentence becomes a function from a distribution to True or False. Distributions with small
# integer weights come from `theory.strategies`; the search is that of the Hypothesis library. When
# it has found a distribution for which the sentence is false, it makes it *smaller*, as long as the
# sentence stays false. We print every step.

# %%
import math

import hypothesis

from theory import gallery, information, strategies

SEARCH = hypothesis.settings(
    max_examples=200,
    derandomize=True,  # the same search every time
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),  # a slow machine is no error
    phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),  # find, and make smaller
)


def weights(p):
    """The sequences that occur, with integer weights: {"011": 2, ...}."""
    table = p.table()
    whole = math.lcm(*(cell.denominator for cell in table.flat))
    found = {}
    for place in zip(*table.nonzero(), strict=True):
        found["".join(str(int(token)) for token in place)] = int(table[place] * whole)
    return found


def refute(sentence, distributions, show=True):
    """Search for a distribution for which the sentence is false; return the smaller and smaller."""
    trail = []

    def is_false(p):
        if sentence(p):
            return False
        if not trail or sum(weights(p).values()) < sum(weights(trail[-1]).values()):
            trail.append(p)
        return True

    try:
        smallest = hypothesis.find(distributions, is_false, settings=SEARCH)
    except hypothesis.errors.NoSuchExample:
        print("nothing found that refutes it")
        return []
    if weights(trail[-1]) != weights(smallest):
        trail.append(smallest)
    for k, p in enumerate(trail[:-1] if show else []):
        print(f"  {'false for' if k == 0 else 'still false for'} {weights(p)}")
    print("smallest:", weights(smallest))
    return trail


def tc(p):
    """Total correlation."""
    return information.total_correlation(p)


def dtc(p):
    """Dual total correlation."""
    return information.dual_total_correlation(p)


three_bits = strategies.joint_tables(lengths=(3, 3), vocabs=(2, 2), exact=True)
trail = refute(lambda p: tc(p) <= dtc(p), three_bits)

# %%
smallest = trail[-1]
print("TC =", tc(smallest), "  DTC =", dtc(smallest))
assert len(weights(smallest)) == 2
assert set(weights(smallest).values()) == {1}
assert tc(smallest) == 2 * dtc(smallest)
assert information.total_correlation(smallest, base=2) == 2

# %% [markdown]
# The picture to keep: every row is a table for which the sentence is false, from the first one
# found down to the last one. Dark is much weight, white is none.

# %%
import matplotlib.pyplot as plt
import numpy as np

plt.style.use("figures.paper")


def draw(trail):
    """One row for each table, one column for each sequence."""
    rows = np.asarray([[float(v) for v in p.table().flat] for p in trail])
    _, axes = plt.subplots(figsize=(3.3, 0.35 * len(rows) + 0.8))
    axes.imshow(rows, cmap="Greys", vmin=0, vmax=0.6, aspect="auto")
    names = [f"{k:0{trail[0].length}b}" for k in range(rows.shape[1])]
    axes.set_xticks(range(rows.shape[1]), names)
    axes.set_yticks(range(len(rows)), ["found", *[""] * (len(rows) - 2), "smallest"])
    axes.set_title("probability of each sequence")


draw(trail)

# %% [markdown]
# ### Explain
#
# Two sequences, one half each: *one* fair bit, and two copies of it (one of them turned round,
# which does not matter). Now one can see it. Each bit has 1 bit of entropy, the whole has 1 bit, so
# TC is 3 − 1 = 2 bits. And when two of them are known, the third has nothing left: DTC is 1 − 0 = 1
# bit.
#
# The first table that was found had more sequences and odd weights. Nobody learns anything from
# that. The value of a counterexample is that it is small, and small means here: zeros where that is
# possible, and then small weights.
#
# The other way round, "DTC is never larger than TC", fails too. Guess the table first.

# %%
opposite = refute(lambda p: dtc(p) <= tc(p), three_bits, show=False)[-1]
print("TC", round(float(tc(opposite)), 3), " DTC", round(float(dtc(opposite)), 3), "nats")
for p in (opposite, gallery.parity(3, exact=True)):
    assert information.entropy(p, [2], given=[0, 1, -1]) == 0  # two bits decide the third
    assert dtc(p) == information.entropy(p) > tc(p)

# %% [markdown]
# Most people guess parity, with four sequences. That is right. The search finds three: exactly one
# bit is 0. In both, any two bits decide the third, so that DTC is the whole entropy.

# %% [markdown]
# ## 2. When is equal equal?
#
# ### Predict
#
# The *profile* f(j) is the mean entropy of one more place when j random ones are known. By the
# chain rule the profile adds up to the entropy of the whole. That is a theorem. What happens if you
# let the search attack it
#
# 1. with ordinary floating-point numbers?
# 2. with fractions?

# %% [markdown]
# ### Run


# %%
def adds_up(p):
    """Whether the profile adds up to the entropy. Equal means equal."""
    return sum(information.profile(p)) == information.entropy(p)


try:
    wrong = hypothesis.find(strategies.joint_tables(), lambda p: not adds_up(p), settings=SEARCH)
except hypothesis.errors.NoSuchExample:  # luck of the rounding on this machine
    print("floats: nothing found")
else:
    print("floats:", wrong.table().tolist())
    off = abs(float(sum(information.profile(wrong)) - information.entropy(wrong)))
    print("        off by", off)
    assert 0 < off < 1e-12

print("fractions:", end=" ")
assert refute(adds_up, strategies.joint_tables(exact=True)) == []

# %% [markdown]
# ### Explain
#
# In floats the theorem is "refuted", by the sixteenth digit. So one allows a tolerance, and then
# one does not know any more whether a small violation is rounding or a mistake.
#
# With `exact=True` probabilities are fractions, and an entropy is a sum of fractions times
# logarithms of primes. Such sums are equal if and only if all coefficients are. So *equal means
# equal*. If a search in exact arithmetic finds something, it is no rounding.

# %%
from theory import JointTable

skewed = JointTable([[1, 2], [3, 6]], exact=True)  # independent: 1 * 6 = 2 * 3
print("entropy:", information.entropy(skewed), "=", round(float(information.entropy(skewed)), 4))
print("total correlation:", tc(skewed))
assert tc(skewed) == 0

# %% [markdown]
# ## 3. Sentences about decoders
#
# The same works for what decoders write, because `output_distribution` is exact, too.
#
# ### Predict
#
# True or false?
#
# 1. **most confident place**: ask the model, choose the place where it is most confident, draw
#    there. One place per round. What is written has exactly the distribution of the data.
# 2. **most confident token**: ask the model, draw at *every* masked place, keep the token that was
#    likeliest. One place per round. What is written has exactly the distribution of the data.
# 3. **two most confident**: two places at a time. Taking the two most confident places never loses
#    more than taking the two leftmost ones.
# 4. **large last**: in random order, it is better to reveal one place and then two, than two and
#    then one.

# %% [markdown]
# ### Run

# %%
from sims import output_distribution, policies


def kl(p, decoder):
    """What a decoder loses with a perfect model."""
    return output_distribution(p, decoder).kl


def path(p, sizes):
    """What random order with these batches loses, the mean over orders."""
    return information.path_cost(p, sizes)


two_bits = strategies.joint_tables(lengths=(2, 2), vocabs=(2, 2), exact=True)
SENTENCES = {
    "most confident place": (lambda p: kl(p, policies.TopK(1)) == 0, two_bits),
    "most confident token": (lambda p: kl(p, policies.TokenConfidence(1)) == 0, two_bits),
    "two most confident": (
        lambda p: kl(p, policies.TopK(2)) <= kl(p, policies.LeftToRight(2)),
        three_bits,
    ),
    "large last": (lambda p: path(p, (1, 2)) <= path(p, (2, 1)), three_bits),
}


def attack(name):
    """Search for a counterexample to one of the sentences."""
    print(f"{name}:", end=" ")
    sentence, distributions = SENTENCES[name]
    trail = refute(sentence, distributions, show=False)
    return trail[-1] if trail else None


found = {name: attack(name) for name in SENTENCES}
assert [name for name, p in found.items() if p is None] == ["most confident place"]

# %% [markdown]
# With a menu, where `ipywidgets` is installed. (Without: put the name into the cell below.) Add a
# sentence of your own to `SENTENCES`, and it is in the menu.

# %%
attack("large last")

# %%
try:
    from ipywidgets import Dropdown, interact
except ImportError:
    print("no menu here: change the name in the cell above and run it again")
else:
    interact(attack, name=Dropdown(options=list(SENTENCES), value="most confident token"))

# %% [markdown]
# ### Explain
#
# *Most confident token* has the most famous victim: it is how a well-known sampler works (lesson
# 4). The search found a table of small weights. A table with still fewer sequences can be done by
# hand: 01 twice as often as 10, and nothing else. (What is "smallest" is a matter of taste.
# Hypothesis looks for small numbers, zeros first.)
#
# | drawn | probability | kept | written |
# |-------|--------|------|---------|
# | 01    | 2/3 · 2/3 = 4/9 | either | 01 |
# | 00    | 2/3 · 1/3 = 2/9 | the first 0 (2/3) | 01 |
# | 11    | 1/3 · 2/3 = 2/9 | the second 1 (2/3) | 01 |
# | 10    | 1/3 · 1/3 = 1/9 | either | 10 |
#
# So 01 is written 8 times in 9, not 2 times in 3. The model is perfect and only one token per round
# is kept. Choosing *after* drawing prefers what is likely.

# %%
from fractions import Fraction

by_hand = JointTable([[0, 2], [1, 0]], exact=True)
q = output_distribution(by_hand, policies.TokenConfidence(1))
print("data:   ", weights(by_hand))
print("written:", {"01": str(q.table[0, 1]), "10": str(q.table[1, 0])})
assert not SENTENCES["most confident token"][0](by_hand)
assert (q.table[0, 1], q.table[1, 0]) == (Fraction(8, 9), Fraction(1, 9))

# %% [markdown]
# *Large last* is refuted by the three sequences of section 1, and its opposite by the copies of a
# bit. No accident: large batches first cost at most a share of TC, large batches last at most a
# share of DTC (claim [B5](../paper_notes.md#the-claims)).
#
# *Most confident place* was not refuted. Is it now proved?
#
# No. The search tried a few hundred tables of two bits. That is what "no counterexample" means, and
# nobody should write more than that. (This one does have a proof: claim
# [C1](../paper_notes.md#the-claims).)

# %% [markdown]
# ## 4. Mend it, and prove it
#
# ### Predict
#
# TC ≤ DTC is false for three bits, and for one bit with two copies TC is *twice* DTC. Can you mend
# the sentence with a factor? Which one is the smallest that could work?

# %% [markdown]
# ### Run

# First the factor 3/2, on the same kind of tables as before.

# %%
print("TC <= 3/2 DTC:", end=" ")
trail = refute(lambda p: tc(p) <= Fraction(3, 2) * dtc(p), three_bits, show=False)
assert tc(smallest) > Fraction(3, 2) * dtc(smallest)  # and yet it is false

# %% [markdown]
# You probably see "nothing found", and we hold a counterexample in our hands! It is a table with
# six zeros of eight, and a few hundred random tables with weights up to 5 need not contain one like
# that. So help the search: weights 0 and 1 only. There are just 255 tables of this kind.

# %%
sparse = strategies.joint_tables(lengths=(3, 3), vocabs=(2, 2), most=1, exact=True)
for factor in (Fraction(3, 2), 2):
    print(f"TC <= {factor} DTC:", end=" ")
    trail = refute(lambda p, factor=factor: tc(p) <= factor * dtc(p), sparse, show=False)
    assert bool(trail) == (factor < 2)

# %% [markdown]
# And 255 are so few that one need not search: try all of them.

# %%
import itertools

every = [
    JointTable(np.reshape(cells, (2, 2, 2)), exact=True)
    for cells in itertools.product((0, 1), repeat=8)
    if any(cells)
]
assert len(every) == 255
assert all(tc(p) <= 2 * dtc(p) for p in every)
print("TC <= 2 DTC on all", len(every))

# %% [markdown]
# Nothing refutes the factor 2. Now it is worth while to look for a *proof*. Both sides are made of
# entropies of sets of places. Take these as symbols, and see what 2 DTC − TC is.

# %%
import sympy

H1, H2, H3, H12, H13, H23, H123 = sympy.symbols("H1 H2 H3 H12 H13 H23 H123")
TC = H1 + H2 + H3 - H123
DTC = H123 - ((H123 - H23) + (H123 - H13) + (H123 - H12))
print("2 DTC - TC =", sympy.expand(2 * DTC - TC))

between_12 = H13 + H23 - H3 - H123  # I(X1; X2 | X3): what two places tell each other,
between_13 = H12 + H23 - H2 - H123  # given the third
between_23 = H12 + H13 - H1 - H123
left = sympy.expand(2 * DTC - TC - (between_12 + between_13 + between_23))
print("2 DTC - TC - I(1;2|3) - I(1;3|2) - I(2;3|1) =", left)
assert left == 0

# %% [markdown]
# ### Explain
#
# 2 DTC − TC is a sum of three conditional mutual informations, and these are never negative. That
# is a proof, for three places over *any* vocabulary, not only for bits. And it says when the factor
# is needed in full: if any two places are independent given the third, as copies are.
#
# The path was: a false sentence, the smallest counterexample, a mended sentence, a search that
# fails, a proof. The search did not give the proof. It told us what to try to prove.
#
# Symbols can also hold *all* tables of some size at once. Here are all tables of 2 × 2 with
# positive weights a, b, c, d. What does one parallel round write, minus the data?

# %%
a, b, c, d = sympy.symbols("a b c d", positive=True)
symbolic = JointTable([[a, b], [c, d]], exact=True)
first, second = symbolic.denoise([-1, -1])
off = [
    [sympy.factor(first[i] * second[j] - symbolic.table()[i, j]) for j in (0, 1)] for i in (0, 1)
]
print("written minus data:", off[0])
print("                   ", off[1])
assert sympy.simplify(off[0][1] - (a * d - b * c) / (a + b + c + d) ** 2) == 0

# %% [markdown]
# This is more than one counterexample: it is all of them. One round is right if and only if
# ad = bc.

# %% [markdown]
# ## 5. A check that can fail
#
# ### Predict
#
# Here is a check of the mended sentence, and here is a check that somebody wrote in a hurry. Both
# report "passed". Which one do you believe, and what would you ask for before you do?

# %% [markdown]
# ### Run
#
# In this package a claim is an object. Its check has a *residual*, a number that is 0 where the
# claim holds, and a *planted violation*: a change that makes the claim false. The check must reject
# it.

# %%
from theory import bounds
from theory.claims import Claim, Provenance, Verdict


def residual(p, factor=2):
    """TC beside its bound: the residual is by how much it exceeds that, or 0."""
    return bounds.Bound(tc(p), factor * dtc(p))


def hurried(p, factor=2):
    """The same, written in a hurry."""
    return min(0, tc(p) - factor * dtc(p)) * 0


def claim(function):
    """The mended sentence as a claim, with the factor 3/2 as the planted violation."""
    mine = Claim(
        id="X1",
        title="Of three places, TC is at most twice DTC",
        statement="TC <= 2 DTC for three places",
        latex=r"\mathrm{TC} \le 2\, \mathrm{DTC}",
        source="lesson 7; textbook inequality",
        provenance=Provenance.OURS,
        verdict=Verdict.HOLDS,
    )
    mine.residual("TC against 2 DTC", exact=sparse, factor=Fraction(3, 2))(function)
    return mine


results = {}
for function in (residual, hurried):
    mine = claim(function)
    plain = mine.run(mine.checks[0], examples=100)
    planted = mine.run(mine.checks[0], examples=100, planted=True)
    results[function.__name__] = (plain.passed, planted.passed)
    print(
        f"{function.__name__}: passed {plain.passed}; with the planted violation {planted.passed}"
    )

assert results == {"residual": (True, False), "hurried": (True, True)}

# %% [markdown]
# ### Explain
#
# The hurried check passes, whatever you give it. It says nothing. One sees that from the planted
# violation: with the factor 3/2 the claim is false, and the hurried check does not notice. *A check
# that cannot fail is a defect.* Every claim of this package has a planted violation, and
# `python -m theory` runs all of them.
#
# What the good check reports when it fails, and how near to the bound the search came when it does
# not (1 means that the bound is reached):

# %%
mine = claim(residual)
failed = mine.run(mine.checks[0], planted=True)
print(failed.counterexample)
passed = mine.run(mine.checks[0], examples=200)
print("passed on", passed.instances, "tables; tightest", passed.tightest, "at")
print(passed.tightest_at)
assert passed.tightest == 1

# %% [markdown]
# And on a distribution of your own:

# %%
result = mine.check(gallery.repeated_bit(3))
print("repeated bit:", result.passed, " worst residual", result.worst)
assert result.passed

# %% [markdown]
# (A package of yours can put its claims into the table of `python -m theory`: `docs/extend.md`.)

# %% [markdown]
# ## Exercise
#
# Attack each sentence. If nothing is found, look for a proof. If something is found, mend it.
#
# 1. "A place never gets *less* confident when another place is revealed." (For two bits: the top
#    probability of the second bit, given either value of the first, is at least what it was
#    before.) And on average over the first bit?
# 2. TC ≤ 2 DTC for *four* bits. Which factor is needed? Guess from a table, then let the search try
#    to refute it.
# 3. "If random order with batches (2, 1) writes exactly the data, then every single order does."
#    (KL is 0 for the mixture: then the path cost is 0, too.) Hint: use weights 0 and 1 only,
#    `most=1`.
# 4. *Refute it yourself.* These sentences circulate, and all four are false. Find the shortest
#    *list of strings of bits* that shows it, where each string is as likely as it is often in the
#    list. First by hand. Then write a search that goes through all lists, the shortest first.
#    - (a) "TC is at most what all pairs of places tell each other, added up." (Three bits.)
#    - (b) "Take a sequence of the data, and draw that bit again which looks more doubtful, given
#      the other one. What comes out is distributed like the data."
#      (Two bits; `policies.InformedCorrector(None, 1, "margin")`.)
#    - (c) "Blocks of two, each written in one round, never lose more than blocks of three."
#      (Four bits; `policies.LeftToRight(2)`.)
#    - (d) "The training loss bounds what is lost if the most confident place comes first." (Two
#      bits, one place a round, and a model that is overconfident: it squares each prediction and
#      normalises. `sims.excess_loss` is what its training loss has above the entropy.)
# 5. *Your own.* Write down a sentence about three bits and a decoder that you believe. Attack it.

# %%
# your turn

# %% [markdown]
# ## Solution
#
# Open the cells below when you have tried.


# %% tags=["solution"]
# Solution 1
# False for one value, true on average.
def tops(p):
    """Top probability of the second bit: before, and after each possible first bit."""
    before = max(p.denoise([-1, -1])[1])
    probability = p.denoise([-1, -1])[0]
    after = {v: max(p.denoise([v, -1])[1]) for v in (0, 1) if probability[v] > 0}
    return before, after, sum(probability[v] * top for v, top in after.items())


def never_less_sure(p):
    """Whether the second bit gets no less confident, whatever the first one is."""
    before, after, _ = tops(p)
    return min(after.values()) >= before


def on_average(p):
    """Whether the second bit gets no less confident on average."""
    before, _, mean = tops(p)
    return mean >= before


print("1. each value:", end=" ")
(*_, table) = refute(never_less_sure, two_bits, show=False)
print("   before", tops(table)[0], "after", {v: str(top) for v, top in tops(table)[1].items()})
print("   on average:", end=" ")
assert refute(on_average, two_bits) == []

# %% [markdown] tags=["solution"]
# **Solution 1**
#
# On average it holds because the prediction before is the mean of the predictions after, and the
# maximum of a mean is at most the mean of the maxima (claims [D4](../paper_notes.md#the-claims) and
# [D5](../paper_notes.md#the-claims)).

# %% tags=["solution"]
# Solution 2
# A bit and three copies: TC is 4 - 1 = 3 bits, DTC 1 bit. So the factor is at least 3.
copies = np.zeros((2, 2, 2, 2), dtype=np.int64)
copies[0, 0, 0, 0] = copies[1, 1, 1, 1] = 1
copied = JointTable(copies, exact=True)
print("2. copies: TC / DTC =", float(tc(copied)) / float(dtc(copied)))
assert tc(copied) == 3 * dtc(copied)
four_bits = strategies.joint_tables(lengths=(4, 4), vocabs=(2, 2), most=2, exact=True)
print("   TC <= 3 DTC:", end=" ")
assert refute(lambda p: tc(p) <= 3 * dtc(p), four_bits) == []


# %% tags=["solution"]
# Solution 3
# False. Each order is wrong, and their errors cancel.
def every_order_is_right(p):
    """Whether the mixture of orders is wrong, or every single order is right."""
    return kl(p, policies.RandomOrder((2, 1))) != 0 or path(p, (2, 1)) == 0


print("3.", end=" ")
(*_, strange) = refute(every_order_is_right, sparse, show=False)
q = output_distribution(strange, policies.RandomOrder((2, 1)))
print("   written:", q.kl, "nats lost; each order alone:", round(float(q.path_kl), 3))
assert q.kl == 0 < float(q.path_kl)
assert len(weights(strange)) == 6

# %% [markdown] tags=["solution"]
# **Solution 3**
#
# Up to flips it is "three bits that are not all equal". It needs three rounds if every order has to
# be right, and two if one may toss a coin: claim [B16](../paper_notes.md#the-claims). It was found
# by such a search. Lesson 8 goes on from there.


# %% tags=["solution"]
# Solution 4
# All lists, the shortest first: what is found is the smallest, and no matter of luck.
from sims import excess_loss


def data(strings):
    """Each string is as likely as it is often in the list."""
    counts = np.zeros((2,) * len(strings[0]), dtype=np.int64)
    for string in strings:
        counts[tuple(int(bit) for bit in string)] += 1
    return JointTable(counts, exact=True)


def shortest(length, sentence):
    """The first list, of the shortest ones, for which a sentence is false."""
    words = ["".join(bits) for bits in itertools.product("01", repeat=length)]
    for count in itertools.count(1):
        for strings in itertools.combinations_with_replacement(words, count):
            if not sentence(data(strings)):
                return strings


def told_by_pairs(p):
    """What all pairs tell each other: the TC of two bits is their mutual information."""
    pairs = itertools.combinations(range(p.length), 2)
    return sum(information.total_correlation(p, pair) for pair in pairs)


def overconfident(p):
    """A model: each prediction of the perfect one squared, and normalised."""

    def denoise(x):
        squares = p.denoise(x, on_impossible="marginal") ** 2
        return squares / squares.sum(axis=-1, keepdims=True)

    return denoise


def confident_first(p):
    """What the most confident place first loses with that model."""
    return output_distribution(p, policies.TopK(1), denoiser=overconfident(p)).path_kl


doubtful = policies.InformedCorrector(None, 1, "margin")  # None: begins with the data
FALSE = {
    "a": (3, lambda p: tc(p) <= told_by_pairs(p)),
    "b": (2, lambda p: output_distribution(p, doubtful).tv == 0),
    "c": (4, lambda p: kl(p, policies.LeftToRight(2)) <= kl(p, policies.LeftToRight(3))),
    "d": (2, lambda p: confident_first(p) <= excess_loss(p, overconfident(p))),
}
shelf = {name: shortest(*sentence) for name, sentence in FALSE.items()}
for name, strings in shelf.items():
    print(f"4{name}.", *strings)

a, b, c, d = map(data, shelf.values())
print("   a: TC exceeds the pairs by", tc(a) - told_by_pairs(a), "nats")
print(
    "   b: written", {w: str(output_distribution(b, doubtful).table[*w]) for w in np.ndindex(2, 2)}
)
print("   c: blocks of 2 and 3 lose", [kl(c, policies.LeftToRight(size)) for size in (2, 3)])
print("   d: lost", confident_first(d), " and the loss says", excess_loss(d, overconfident(d)))
assert shelf["c"] == ("0000", "0011")
assert math.isclose(tc(a) - told_by_pairs(a), math.log(4 / 3))
assert output_distribution(b, doubtful).table[0, 0] == Fraction(1, 2)
assert confident_first(d) == 2 * excess_loss(d, overconfident(d))

# %% [markdown] tags=["solution"]
# **Solution 4**
#
# - (a) Up to flips: exactly one of the three bits is 1. TC is log(4/3) more than the pairs. Most
#   people think of parity, where the pairs tell nothing at all; it takes four strings. What is
#   true: TC is at least 2/3 of what the pairs tell (claim [I1](../paper_notes.md#the-claims)).
# - (b) At 01 the first bit is certain and the second is a coin. So the second one is drawn, and
#   half of the time it becomes 0. At 10 likewise, and at 00 both are coins: 00 comes out with 1/2,
#   where 1/3 is due. Choose the bit at random, and the data stay
#   (claim [C11](../paper_notes.md#the-claims)).
# - (c) The last two bits are equal. Blocks of three end between them, blocks of two put them
#   together (claim [E5](../paper_notes.md#the-claims)).
# - (d) The first bit is surer, and there the model is wrong. With the second bit first it is right
#   all the way. The training loss is the mean of both orders; confidence takes the bad one, and
#   loses twice as much (claim [E6](../paper_notes.md#the-claims)).
#
# More of the kind, and what is true instead: `docs/guide/refuted.md`.
