# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 4. Samplers that are wrong with a perfect model
#
# *Look at places before you draw, not at what you drew.*
#
# **Learning goals.** After this lesson you can
#
# 1. work out by hand what a decoder writes, as a tree of draws with probabilities;
# 2. explain why "draw everywhere, keep the likeliest" is biased, even one token at a time;
# 3. prove a sampler right: for one distribution exactly, for all of a shape with symbols, for all
#    by an argument;
# 4. say why samples, and a look at whether the output is valid, prove nothing of the kind.
#
# **Time needed.** 55 minutes: 15 each for sections 1 and 2, 10 for section 3, 15 for the exercises.
#
# **Prerequisites.** Lesson 1; the chain rule p(a, b) = p(a) p(b | a).
#
# **The picture to keep.** Two dice. You throw both, put aside the higher one, and throw the other
# again. You wrote down only fair throws, and sixes come too often.

# %% [markdown]
# ## 1. One token per round, and still wrong
#
# The data: two *independent* bits. The first is fair. The second is 0 with probability 9/10.
#
# The model is perfect, and we write one bit per round, so nothing is lost by writing in parallel
# (lesson 3). Two decoders choose which bit to write:
#
# - **place first.** Look at the two predictions. Take the place whose prediction is most confident.
#   Draw its bit. Then do the other one.
# - **token first.** Draw a bit at *both* places. Keep the one whose drawn bit was the likelier;
#   forget the other one. Then draw that one again.
#
# The second seems only more careful.

# %% [markdown]
# ### Predict
#
# In the data the second bit is 1 in one of ten cases. How often is it 1 with *place first*? And
# with *token first*: more often, less often, the same?

# %% [markdown]
# ### Run
#
# By hand, as a tree. Token first has four draws in its first round:
#
# | drawn | probability | likelier one | kept | then |
# |-------|-------------|--------------|------|------|
# | 0, 0  | 1/2 · 9/10  | the second: 9/10 against 1/2 | second = 0 | draw the first |
# | 1, 0  | 1/2 · 9/10  | the second: 9/10 against 1/2 | second = 0 | draw the first |
# | 0, 1  | 1/2 · 1/10  | the first: 1/2 against 1/10 | first = 0 | draw the second **again** |
# | 1, 1  | 1/2 · 1/10  | the first: 1/2 against 1/10 | first = 1 | draw the second **again** |

# %%
from fractions import Fraction
from itertools import product

fair, biased = [Fraction(1, 2)] * 2, [Fraction(9, 10), Fraction(1, 10)]

place_first = {(a, b): biased[b] * fair[a] for a, b in product((0, 1), repeat=2)}
token_first = dict.fromkeys(place_first, Fraction(0))
for a, b in product((0, 1), repeat=2):  # what is drawn in the first round
    drawn = fair[a] * biased[b]
    if biased[b] > fair[a]:  # keep the second bit, draw the first
        for again in (0, 1):
            token_first[again, b] += drawn * fair[again]
    else:  # keep the first bit, draw the second again
        for again in (0, 1):
            token_first[a, again] += drawn * biased[again]

for name, written in (("place first", place_first), ("token first", token_first)):
    assert sum(written.values()) == 1
    print(f"{name}: the second bit is 1 with probability", written[0, 1] + written[1, 1])
assert place_first[0, 1] + place_first[1, 1] == Fraction(1, 10)
assert token_first[0, 1] + token_first[1, 1] == Fraction(1, 100)

# %% [markdown]
# The library walks the same tree, for any data and any decoder, and adds up the leaves.

# %%
from sims import output_distribution, policies
from theory import MASK, JointTable, gallery

p = JointTable([[9, 1], [9, 1]], exact=True)
right = output_distribution(p, policies.TopK(1))  # place first: the most confident place
wrong = output_distribution(p, policies.TokenConfidence(1))  # token first
print("data:       ", p.table().tolist())
print("place first:", right.table.tolist())
print("token first:", wrong.table.tolist())
assert right.table.tolist() == p.table().tolist()
assert all(wrong.table[text] == probability for text, probability in token_first.items())

# %% [markdown]
# ### Explain
#
# A 1 at the second place is unlikely, so it is *not kept* when it is drawn. It is drawn again, and
# has to come a second time: 1/10 · 1/10. The rare token is written with the *square* of its
# probability (claim [C2](../paper_notes.md#the-claims)).
#
# No single draw is wrong. The *selection* is: whether a draw counts depends on what was drawn. It
# is the trick of the two dice.
#
# Does anybody do this? At temperature 1 the code of LLaDA does, when it remasks by low confidence,
# and so does that of Fast-dLLM without its threshold; we read both for the order of operations. No
# paper that we saw says so, or says that it is biased: the claim is ours. At temperature 0 every
# draw is the likeliest token, and the two orders are the same. They then write one text, and not
# the data.

# %%
throws = list(product(range(1, 7), repeat=2))
sixes = Fraction(sum(max(pair) == 6 for pair in throws), 36) + Fraction(1, 6)  # kept, thrown again
print("sixes of two dice:", 2 * Fraction(1, 6), " with the trick:", sixes)
assert sixes == Fraction(17, 36) > Fraction(12, 36)

# %% [markdown]
# With more places it gets worse. A coin shows heads with probability 0.3. Of m places that are
# still masked one is kept, and it shows heads only if *all* m draws do: 0.3 to the power m. Add
# that up over the rounds of 100 tosses (claim [C12](../paper_notes.md#the-claims), ours):

# %%
heads = sum(0.3**masked for masked in range(1, 101))
print(f"heads in 100 tosses: 30 due, {heads:.2f} written")
assert round(heads, 2) == 0.43

# %% [markdown]
# ### Predict
#
# Four-letter words now, one letter per round, *token first*. The data have 214 words. How many
# strings that are no words does it write? And does it write every word about as often as it should?

# %% [markdown]
# ### Run

# %%
import numpy as np

words = gallery.words(4)
data = words.table()
wrong = output_distribution(words, policies.TokenConfidence(1))
print(f"words of the data: {wrong.valid_mass:.1%}")
print(f"total variation distance from the data: {wrong.tv:.2f}")

there = np.argwhere(data > 0)
ratio = wrong.table[tuple(there.T)] / data[tuple(there.T)]
order = np.argsort(ratio)
print("word    in the data   written")
for k in (*order[:3], *order[-3:]):
    text = tuple(there[k])
    print(f"{words.spell([text])[0]:7} {data[text]:10.4%} {wrong.table[text]:13.7%}")

# %%
assert round(wrong.valid_mass, 9) == 1
that, know = (tuple(ord(letter) - ord("a") for letter in word) for word in ("that", "know"))
print(f"that: {data[that]:.1%} of the data, {wrong.table[that]:.1%} of what is written")
print(
    f"know: once in {1 / data[know]:.0f} words, written once in {1 / wrong.table[know] / 1e9:.1f}e9"
)
assert round(wrong.table[that], 2) == 0.39
assert round(data[that], 2) == 0.09
assert wrong.table[know] < 1e-5 * data[know]

# %% [markdown]
# ### Explain
#
# *Everything* it writes is a word, so a check of validity finds nothing. Yet "that" comes four
# times too often, and "know" practically never. What is lost is diversity, and you do not see it in
# any single text.
#
# Does another temperature help? The figure below is the package's `token_confidence`, on fewer
# points than its own: we compute the numbers, and its `draw` draws them. At 0 both orders write the
# same. From there on they part.

# %%
import matplotlib.pyplot as plt

from figures import token_confidence

plt.style.use("figures.paper")
decoders = {"place": policies.TopK(1), "token": policies.TokenConfidence(1)}


def random_table(length, vocab, seed):
    weights = np.random.default_rng((seed, length, vocab)).random((vocab,) * length)
    return JointTable(weights)


distance = {}
curves = {name: [] for name in ("distribution", "score_of", "temperature", "tv", "kl_nats")}
two = {token_confidence.WORDS: words, token_confidence.TABLE: random_table(6, 3, 0)}
for (name, p), (score, decoder) in product(two.items(), decoders.items()):
    for temperature in (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0):
        q = output_distribution(p, decoder, temperature)
        row = (name, score, temperature, float(q.tv), float(q.kl))
        distance[name, score, temperature] = float(q.tv)
        for column, value in zip(curves, row, strict=True):
            curves[column].append(value)

columns = ("vocab", "length", "score_of", "least_tv", "mean_tv", "most_tv")
sizes = {name: [] for name in columns}
for vocab, lengths in {2: range(2, 7), 3: range(2, 5), 4: range(2, 4)}.items():
    for length, (score, decoder) in product(lengths, decoders.items()):
        tv = [
            output_distribution(random_table(length, vocab, seed), decoder).tv for seed in range(4)
        ]
        row = (vocab, length, score, min(tv), float(np.mean(tv)), max(tv))
        for column, value in zip(sizes, row, strict=True):
            sizes[column].append(value)

picture = token_confidence.FIGURE.draw({"temperatures": curves, "sizes": sizes})

# %%
for name in two:
    assert distance[name, "place", 1.0] < 1e-9  # place first is exact
    assert all(distance[name, "token", t] > 0.15 for t in (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0))
growing = [row for row in zip(*sizes.values(), strict=True) if row[0] == 2 and row[2] == "token"]
assert [row[4] for row in growing] == sorted(row[4] for row in growing)  # means, 2 to 6 bits

# %% [markdown]
# *Place first* is exact at temperature 1, and only there: another temperature asks for other data.
# *Token first* is far off at each of these temperatures. And (c): the longer the text, the worse.

# %% [markdown]
# ## 2. Three ways to prove a sampler right
#
# ### Predict
#
# You want to know whether a decoder writes the data. You draw 1000 words with it and compare the
# frequencies with the true ones. How large is the total variation distance that you find if the
# decoder is *exactly right*? 0? 0.01? 0.1? 0.2?

# %% [markdown]
# ### Run

# %%
from sims import decode


def seen(decoder, draws, seed):
    """Total variation distance between the data and the frequencies of some draws."""
    texts = decode(words, decoder, np.random.default_rng(seed), size=draws).tokens
    counts = np.zeros(data.shape)
    np.add.at(counts, tuple(np.asarray(texts).T), 1 / draws)
    return float(np.abs(counts - data).sum() / 2)


for draws in (100, 1000, 10_000):
    print(
        f"{draws:6} draws of an exactly right sampler:",
        f"distance {seen(policies.TopK(1), draws, 0):.3f}",
    )
exact = output_distribution(words, policies.TopK(1)).tv
print(f"computed: {exact:.1e}")
assert 0.1 < seen(policies.TopK(1), 1000, 0) < 0.2
assert exact < 1e-12

# %% [markdown]
# ### Explain
#
# Even a perfect sampler looks wrong by more than 0.1 after 1000 draws. The noise falls with the
# root of the number of draws only, and a small bias hides in it. Drawing can *refute* a bad
# sampler. It cannot show that a sampler is right.
#
# **First way: add up the tree.** For given data there are finitely many draws. Follow every one
# with its probability, as a fraction, and add up what leads to the same text. If the result equals
# the table, as fractions, the sampler is right for these data. That is a proof, in one line:

# %%
cards = JointTable([[[4, 0], [0, 2]], [[0, 0], [1, 1]]], exact=True)  # the cards of lesson 2
q = output_distribution(cards, policies.TopK(1, "entropy"))
assert (q.table == cards.table()).all()
print("equal, as fractions:", (q.table == cards.table()).all(), "  KL:", q.kl)

# %% [markdown]
# How does it work? Here is the whole idea in fifteen lines, for any rule that chooses *one place*
# by looking at what is known and what is predicted.


# %%
def written_by(p, rule):
    """The exact distribution of what is written, one place per round."""
    leaves, tree = {}, [((MASK,) * p.length, 1)]
    while tree:
        text, probability = tree.pop()
        if MASK not in text:
            leaves[text] = leaves.get(text, 0) + probability
            continue
        predictions = p.denoise(list(text))
        site = rule(text, predictions)
        for token in range(p.vocab):
            step = predictions[site][token]
            if step != 0:
                tree.append(((*text[:site], token, *text[site + 1 :]), probability * step))
    return leaves


def most_confident(text, predictions):
    """The masked place with the largest probability of a single token."""
    return max((i for i, v in enumerate(text) if v == MASK), key=lambda i: max(predictions[i]))


for text, probability in sorted(written_by(cards, most_confident).items()):
    print(text, probability)
    assert probability == cards.table()[text]

# %% [markdown]
# **Second way: symbols instead of numbers.** Give the four cells of a 2 × 2 table names. What holds
# for names holds for every table with positive cells.

# %%
import sympy

a, b, c, d = sympy.symbols("a b c d", positive=True)
every_table = JointTable([[a, b], [c, d]], exact=True)

one_by_one = output_distribution(every_table, policies.LeftToRight())
at_once = output_distribution(every_table, policies.RandomOrder((2,)))
print("one by one: ", [sympy.simplify(v) for v in (one_by_one.table - every_table.table()).flat])
print("both at once:", sympy.factor(sympy.simplify((at_once.table - every_table.table())[0, 1])))
assert all(sympy.simplify(v) == 0 for v in (one_by_one.table - every_table.table()).flat)
wrong_by = (at_once.table - every_table.table())[0, 1]
assert sympy.simplify(wrong_by - (a * d - b * c) / (a + b + c + d) ** 2) == 0

# %% [markdown]
# The first line is a theorem: one by one, *every* 2 × 2 table is written exactly. The second is
# another one: both at once is right if and only if ad = bc, that is, if the two are independent.
#
# **Third way: an argument**, for all data at once. Take any rule that chooses one place by what is
# known and predicted. For a given text x there is *one* path to it, because the rule does not toss
# a coin. Its probability is
#
# $$p(x_{i_1})\; p(x_{i_2} \mid x_{i_1})\; p(x_{i_3} \mid x_{i_1}, x_{i_2}) \cdots = p(x)$$
#
# by the chain rule, whatever the order is, and even if the order depends on the values drawn so far
# (claims [A6](../paper_notes.md#the-claims) and [C1](../paper_notes.md#the-claims)). Token first
# breaks this: many paths lead to one text, and their probabilities contain draws that were thrown
# away.
#
# Which of the three is the strongest? The argument, if it is right. The other two find out if it is
# not. The library does all three where it can, and for each claim it also runs a version that is
# deliberately wrong, which has to be rejected.

# %% [markdown]
# ## 3. Right or wrong?
#
# ### Predict
#
# The eight cards, and a perfect model. For each of these decoders: does it write exactly the data?
#
# 1. `LeftToRight(1)`: from left to right, one by one.
# 2. `TopK(1, "margin")`: the place where the best token is furthest ahead of the second, one by
#    one.
# 3. `certain_first`: all places that are certain at once; if there are none, the first one.
# 4. `TopK(2)`: the two most confident places at once.
# 5. `Threshold(0.6)`: all places whose best token has more than 0.6; if there are none, the most
#    confident.
# 6. `TokenConfidence(1)`: token first.
# 7. `Speculative()`: draws *all* places at once, then goes through them from left to right. A token
#    is accepted with probability min(1, p/q), where q is what it was drawn from and p what the
#    model says now that the tokens before it are known. The first one refused is drawn anew, from
#    the part of p that lies above q.

# %% [markdown]
# ### Run


# %%
def certain_first(x, predictions):
    """All certain places; if there are none, the first masked one. A decoder of our own."""
    masked = x == MASK
    sure = masked & (predictions.max(axis=-1) == 1)
    first = masked & (masked.cumsum(axis=1) == 1)
    return np.where(sure.any(axis=1, keepdims=True), sure, first)


exactly = {}
for name, decoder in {
    "LeftToRight(1)": policies.LeftToRight(1),
    "TopK(1, 'margin')": policies.TopK(1, "margin"),
    "certain_first": certain_first,
    "TopK(2)": policies.TopK(2),
    "Threshold(0.6)": policies.Threshold(0.6),
    "TokenConfidence(1)": policies.TokenConfidence(1),
    "Speculative()": policies.Speculative(),
}.items():
    q = output_distribution(cards, decoder)
    exactly[name] = bool((q.table == cards.table()).all())
    print(
        f"{name:19} {'exact' if exactly[name] else 'wrong'}   distance {float(q.tv):.3f}",
        f"  valid {float(q.valid_mass):.3f}   calls of the model {float(q.expected_rounds):.2f}",
    )
assert [name for name, right in exactly.items() if not right] == [
    "TopK(2)",
    "Threshold(0.6)",
    "TokenConfidence(1)",
]

# %% [markdown]
# ### Explain
#
# - 1 and 2 choose one place before they draw: exact, whatever the score
#   (claim [C1](../paper_notes.md#the-claims)).
# - 3 writes several places in one round, but only certain ones: these are independent of
#   everything.
# - 4 and 5 write several uncertain places at once and lose their total correlation (lesson 3).
# - 6 throws draws away for what they are.
# - 7 throws draws away, too. But it *corrects* for it: what a refusal makes too rare is exactly
#   what the new draw brings back (claim [C8](../paper_notes.md#the-claims)).
#
# So the fault is not to look at drawn tokens. The fault is to select by them and not to make up for
# it.
#
# Try thresholds and temperatures yourself, where `ipywidgets` is installed. (Without: change the
# call.)


# %%
def compare(gamma, temperature):
    """Threshold, place first and token first on four-letter words."""
    for decoder in (policies.Threshold(gamma), policies.TopK(1), policies.TokenConfidence(1)):
        q = output_distribution(words, decoder, temperature)
        print(f"{decoder!r:24} distance {q.tv:.3f}  valid {q.valid_mass:.3f}", end="  ")
        print(f"calls {q.expected_rounds:.2f}")


compare(0.7, 1.0)
try:
    from ipywidgets import FloatSlider, interact
except ImportError:
    print("no sliders here: change the call of compare(...) and run the cell again")
else:
    threshold = FloatSlider(value=0.7, min=0.1, max=1.0, step=0.1, continuous_update=False)
    warmth = FloatSlider(value=1.0, min=0.2, max=2.0, step=0.2, continuous_update=False)
    interact(compare, gamma=threshold, temperature=warmth)

# %% [markdown]
# ## Exercise
#
# 1. *By hand.* The second bit is 1 with probability 1/4 instead of 1/10. What does token first
#    write? And a decoder that keeps the *least* likely draw, "to be original"?
# 2. *Find data* with two bits on which token first is exact although the bits are not sure.
# 3. *A temperature that mends it.* For the fair and the 9 to 1 bit: at temperature T a draw is 1
#    with probability 1/(1 + 9^(1/T)). Which T makes token first exact?
# 4. *A decoder of your own.* Write a function like `certain_first` that reveals one place per round
#    in a strange order that depends on what has been written. Prove that it is exact for the cards.
# 5. *To discuss.* A paper reports: "with our decoder 99 % of the outputs are valid, and they score
#    better". What else would you ask for?

# %%
# your turn

# %% [markdown]
# ## Solution
#
# Open the cells below when you have tried.


# %% tags=["solution"]
# Solution 1
# The square, 1/16. Keeping the least likely: a 1 is kept at once, and a 0 is drawn again.
def second_is_one(rare, keep_likelier):
    """Probability of a 1 at the second place; the first bit is fair, rare is below 1/2."""
    kept_now = rare if not keep_likelier else 0  # a 1 is drawn and kept
    again = (1 - rare) if not keep_likelier else rare  # the second place is drawn again
    return kept_now + again * rare


quarter = Fraction(1, 4)
print("1.", second_is_one(quarter, True), "and", second_is_one(quarter, False))
bits = JointTable([[3, 1], [3, 1]], exact=True)
assert second_is_one(quarter, True) == Fraction(1, 16)
assert output_distribution(bits, policies.TokenConfidence(1)).table.sum(axis=0)[1] == Fraction(
    1, 16
)
assert second_is_one(quarter, False) == 1 - (1 - quarter) ** 2 == Fraction(7, 16)

# %% tags=["solution"]
# Solution 2
# Two equal bits, or two fair independent ones: all draws are equally likely, so that nothing is
# selected by what was drawn.
for weights in ([[1, 0], [0, 1]], [[1, 1], [1, 1]]):
    equal = JointTable(weights, exact=True)
    print("2.", weights, output_distribution(equal, policies.TokenConfidence(1)).kl)
    assert output_distribution(equal, policies.TokenConfidence(1)).kl == 0

# %% tags=["solution"]
# Solution 3
# The square of 1/(1 + 9^(1/T)) has to be 1/10, so 9^(1/T) = sqrt(10) - 1.
from math import log, sqrt

warm = log(9) / log(sqrt(10) - 1)
floats = JointTable([[9.0, 1.0], [9.0, 1.0]])
mended = output_distribution(floats, policies.TokenConfidence(1), temperature=warm)
print(f"3. T = {warm:.3f}, distance {mended.tv:.0e}. Other data need another T.")
assert round(warm, 3) == 2.849
assert mended.tv < 1e-12


# %% tags=["solution"]
# Solution 4
# For instance: from the right if an odd number of ones is written, else from the left.
def strange(x, predictions):
    masked = x == MASK
    from_left = masked & (masked.cumsum(axis=1) == 1)
    from_right = (masked[:, ::-1] & (masked[:, ::-1].cumsum(axis=1) == 1))[:, ::-1]
    odd = (np.where(masked, 0, x).sum(axis=1) % 2 == 1)[:, None]
    return np.where(odd, from_right, from_left)


q = output_distribution(cards, strange)
print("4. equal, as fractions:", (q.table == cards.table()).all())
assert (q.table == cards.table()).all()

# %% [markdown] tags=["solution"]
# **Solution 5**
#
# How often each kind of output occurs, compared with the data: diversity, rare cases. Section 1
# has a decoder that writes 100 % valid words and almost never "know". And the temperature, the
# order of operations (draw, then select?), and the number of calls of the model.
