# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 1. Two words
#
# *Marginals are not the joint.*
#
# **Learning goals.** After this lesson you can
#
# 1. read the joint, the marginals and the conditionals off a 2 × 2 table;
# 2. say what a masked diffusion model is asked, and what a perfect one answers;
# 3. work out by hand what it writes if it fills in two words at once, and how often that is wrong;
# 4. show that very different data get the same answer, and say what tells them apart.
#
# **Time needed.** 50 minutes: 30 for sections 1 to 4, 10 for section 5, 10 for the exercises.
#
# **Prerequisites.** Probabilities of two events, conditional probability, a little Python. Nothing
# about neural networks: there is none here.
#
# **The picture to keep.** A table with its two margins. The model tells you the margins. The data
# are in the cells.

# %% [markdown]
# ## 1. Two cities, by hand
#
# A *masked diffusion model* gets a text in which some words are hidden behind a mask, and says for
# each hidden word how likely every word of the vocabulary is. To write a text, start with
# everything masked, ask the model, put in a word, ask again, and so on. To be quick, put in *many*
# words after one question. This lesson is about what goes wrong then.
#
# Our data know only two texts, each half of the time:
#
# > New York  ·  Los Angeles
#
# As a table, with the first word in the rows and the second in the columns:
#
# |         | York | Angeles |
# |---------|------|---------|
# | **New** | 1/2  | 0       |
# | **Los** | 0    | 1/2     |
#
# The model is *perfect*: where it is asked for a probability it gives the true one.

# %% [markdown]
# ### Predict
#
# Write down your answers before you go on.
#
# 1. Both words are masked. What does a perfect model say about the first word? About the second?
# 2. Both words are now drawn, each from its own answer, like two coins. Which texts come out, and
#    how often?
# 3. How often is the result a text that the data never contain?

# %% [markdown]
# ### Run
#
# Ten lines of Python, no library. Fractions, so that nothing is rounded.

# %%
from fractions import Fraction

half = Fraction(1, 2)
table = [[half, 0], [0, half]]  # rows: New, Los; columns: York, Angeles

first = [sum(row) for row in table]  # the margins: sums of rows ...
second = [sum(column) for column in zip(*table, strict=True)]  # ... and of columns
written = [[a * b for b in second] for a in first]  # two draws that do not know of each other

for i, one in enumerate(("New", "Los")):
    for j, two in enumerate(("York", "Angeles")):
        print(f"{one + ' ' + two:12}  in the data {table[i][j]!s:4} written {written[i][j]}")

# %%
assert first == second == [half, half]
assert all(cell == Fraction(1, 4) for row in written for cell in row)
never_seen = written[0][1] + written[1][0]
assert never_seen == half
print("written, but not in the data:", never_seen)

# %% [markdown]
# ### Explain
#
# Each answer is right. *New* is the first word half of the time, and *York* the second. But the
# answers say nothing about which *New* goes with which *York*. Two draws that do not know of each
# other multiply the margins, so "New Angeles" and "Los York" get 1/4 each. Half of what is written
# is wrong, and the model has made no mistake.
#
# Three assumptions are hidden here. Say them aloud:
#
# - the two words are drawn *independently* of each other, from one answer of the model;
# - the model is perfect, so the error is not the model's;
# - "right" means: as often as in the data, not only plausible.

# %% [markdown]
# ## 2. The same with the library
#
# `JointTable` is a distribution given by its table. `denoise` is the perfect model. A masked word
# is written `MASK`. The word 0 is *New* or *York*, the word 1 *Los* or *Angeles*.

# %%
from theory import MASK, JointTable, gallery, information

p = JointTable([[1, 0], [0, 1]], exact=True)  # weights; they are normalised
print("both masked:   ", p.denoise([MASK, MASK]).tolist())
print("first is New:  ", p.denoise([0, MASK]).tolist())
assert p.denoise([MASK, MASK]).tolist() == [first, second]

# %% [markdown]
# ### Predict
#
# Now only one word is put in after each question. Ask, draw the first word, ask again, draw the
# second. How often does this write "New Angeles"? Does it matter which word comes first?

# %% [markdown]
# ### Run
#
# `output_distribution` follows every draw with its probability. Nothing is simulated: the result is
# the exact distribution of what is written. `RandomOrder((2,))` puts in two words in one round,
# `RandomOrder((1, 1))` one word in each of two rounds, in a random order.

# %%
from sims import output_distribution, policies

at_once = output_distribution(p, policies.RandomOrder((2,)))
one_by_one = output_distribution(p, policies.RandomOrder((1, 1)))

print("at once:   ", at_once.table.tolist(), " in the data:", at_once.valid_mass)
print("one by one:", one_by_one.table.tolist(), " in the data:", one_by_one.valid_mass)
assert at_once.table.tolist() == written
assert at_once.valid_mass == half
assert one_by_one.table.tolist() == table
assert one_by_one.valid_mass == 1

# %% [markdown]
# ### Explain
#
# After "New" the model is asked a new question, and answers "York, for sure". That is the chain
# rule of probability: p(a, b) = p(a) p(b | a). One word at a time, *any* order is exact (claim
# [A6](../paper_notes.md#the-claims)).
#
# How wrong is it to write both at once? Two numbers:
#
# - the **valid mass**, the probability to write something that the data contain. Here 1/2;
# - the **divergence** KL(p ‖ q) from the data p to what is written, q. Here it is exactly the
#   *total correlation*: the entropies of the single words, added, minus the entropy of the whole.
#   That it always is, for one round, is claim [B1](../paper_notes.md#the-claims); lesson 3 is about
#   it.
#
# The two belong together: the valid mass is at least exp(−KL) (claim
# [B8](../paper_notes.md#the-claims)), and here it is equal.

# %%
from math import exp, isclose

bits = information.total_correlation(p, base=2)
print("total correlation:", bits, "bit")
assert bits == 1  # 1 bit + 1 bit for the words, minus 1 bit for the pair
assert at_once.kl == information.total_correlation(p)
assert isclose(at_once.valid_mass, exp(-at_once.kl))

# %% [markdown]
# ## 3. One answer, many data
#
# ### Predict
#
# Keep both margins at 1/2 and change the cells. "New Angeles" may now occur. How many different
# tables have these margins? What does the perfect model answer for each of them, with both words
# masked? Can you see from the answer which table it is?

# %% [markdown]
# ### Run
#
# Move the weight ε from one diagonal to the other: ε = 1/4 are our two cities, ε = 0 two words that
# have nothing to do with each other, ε = −1/4 the data "New Angeles" and "Los York".


# %%
def joint(epsilon):
    """All tables with both margins 1/2; epsilon between -1/4 and 1/4."""
    epsilon = Fraction(epsilon)
    quarter = Fraction(1, 4)
    return JointTable(
        [[quarter + epsilon, quarter - epsilon], [quarter - epsilon, quarter + epsilon]],
        exact=True,
    )


def show(epsilon):
    """Print the table, the answer with both words masked, and what writing both at once loses."""
    p = joint(epsilon)
    cells = [[float(cell) for cell in row] for row in p.table()]
    answer = [[float(v) for v in word] for word in p.denoise([MASK, MASK])]
    lost = float(information.total_correlation(p, base=2))
    print(f"table {cells}   answer {answer}   lost {lost:.3f} bits")


for epsilon in (-0.25, -0.125, 0, 0.125, 0.25):
    show(epsilon)

# %% [markdown]
# With a slider, where `ipywidgets` is installed. (Without: change the numbers above.)

# %%
try:
    from ipywidgets import FloatSlider, interact
except ImportError:
    print("no slider here: change the numbers in the cell above and run it again")
else:
    interact(show, epsilon=FloatSlider(value=0.25, min=-0.25, max=0.25, step=0.0625))

# %% [markdown]
# The whole family in one figure. It is one of the package's own, `frechet_segment`: the numbers are
# computed by `compute()` and drawn by `draw()`.

# %%
import matplotlib.pyplot as plt

from figures import FIGURES

plt.style.use("figures.paper")
segment = FIGURES["frechet_segment"]
picture = segment.draw(segment.compute())

# %% [markdown]
# ### Explain
#
# There are infinitely many tables with the same margins: all on a line, between the two ends at
# which a cell reaches 0. Fréchet described it. With both words masked the perfect model answers the
# *same* for all of them. So a decoder that writes both words at once writes the same for all of
# them, and it can be right for one table only: ε = 0, where the words are independent.

# %%
answers = {str(joint(Fraction(k, 40)).denoise([MASK, MASK]).tolist()) for k in range(-10, 11)}
assert len(answers) == 1
assert information.total_correlation(joint(0)) == 0
assert all(information.total_correlation(joint(Fraction(k, 40))) > 0 for k in range(1, 11))
print("21 different tables,", len(answers), "answer")

# %% [markdown]
# That a masked position gets its own conditional marginal, and that the joint is missing, is what
# *Why mask diffusion does not work* (Sun, Wen, Wang, arXiv 2510.03289) is reported to say. We could
# not read the paper itself; [paper_notes.md](../paper_notes.md) says what we know of it and how.
# The precise statement here is claim [A5](../paper_notes.md#the-claims). A claim is an object that
# can be checked on any distribution. (`python -m theory --claim A5` checks it on many, and makes
# sure that a wrong version of it is rejected.)

# %%
from theory import claims

A5 = claims.registry["A5"]
print(A5.id, "-", A5.title)
result = A5.check(joint(Fraction(1, 8)))
print("holds here:", result.passed, "- exactly, checked", result.instances, "times")
assert result.passed

# %% [markdown]
# ## 4. But the model does know
#
# ### Predict
#
# Does a perfect model know that "New" goes with "York"? If yes: which questions would you ask to
# find out the four cells of the table, and how many?

# %% [markdown]
# ### Run

# %%
p = joint(Fraction(1, 8))
rebuilt = []
for a in (0, 1):
    word_one = p.denoise([MASK, MASK])[0][a]  # p(a), with both masked
    word_two = p.denoise([a, MASK])[1]  # p(b | a), with the first word known
    rebuilt.append([word_one * conditional for conditional in word_two])

print("rebuilt:", rebuilt)
print("table:  ", p.table().tolist())
assert rebuilt == p.table().tolist()

# %% [markdown]
# ### Explain
#
# Three questions are enough: with nothing known, with "New" known, with "Los" known. *All* answers
# together determine the joint; *one* answer does not. The knowledge is in the model. One parallel
# round does not ask for it.
#
# So "the model does not know the joint" is wrong, and "one answer does not contain the joint" is
# right.

# %% [markdown]
# ## 5. At real scale: English words
#
# Take four letters instead of two words. The data are the different four-letter words in the prose
# of Python's documentation, as often as they occur there. The perfect model fills in letters.
#
# ### Predict
#
# All four letters at once, each from its own answer. How often is the result a word of the data:
# once in 3 tries, in 10, in 70, in 1000? And two letters at a time, in two rounds?

# %% [markdown]
# ### Run

# %%
import numpy as np

words = gallery.words(4)
q = output_distribution(words, policies.RandomOrder((4,)))
print("different words:", len(words.sequences))
print(f"a word of the data once in {1 / q.valid_mass:.1f} tries")
print("some of what it writes:", words.spell(q.sample(np.random.default_rng(1), 8)))
assert len(words.sequences) == 214
assert round(1 / q.valid_mass) == 69

# %%
for sizes in ((2, 2), (1, 1, 2), (1, 1, 1, 1)):
    q = output_distribution(words, policies.RandomOrder(sizes))
    print(f"batches {sizes}: a word in {q.valid_mass:.1%} of all cases")
assert isclose(q.valid_mass, 1)  # one letter at a time

# %%
english = FIGURES["english_words"]
picture = english.draw(english.compute())

# %% [markdown]
# ### Explain
#
# (a) shows strings drawn from one to four rounds. (b) shows the exact probability of a word for
# every way to split four letters into batches. (c) shows the seven likeliest words, and below them
# the likeliest strings that are no words. Look at those: letters that are common at their places,
# and that do not go together.
#
# Two caveats. "Word" means a word of *these* data; other texts give other numbers. And nobody's
# model is perfect: real models add their own errors to this one.

# %% [markdown]
# ## Exercise
#
# 1. *By hand.* The data: "New York" 60 %, "New Orleans" 20 %, "Los Angeles" 20 %. Both words are
#    written at once. How often is the result not in the data?
# 2. *With the library.* `gallery.cities()` has four cities of equal weight: New York, New Orleans,
#    Mexico City, Panama City. Which of these is written too often when both words are written at
#    once, and which too rarely?
# 3. *Find one.* Margins 7/10 and 2/5 for the word 0. Which table with these margins loses most when
#    both words are written at once, and how many bits? Which is lossless?
# 4. *To discuss.* Could a *better* model than the perfect one help, asked once with both words
#    masked? What would have to change instead?

# %%
# your turn

# %% [markdown]
# ## Solution
#
# Open the cells below when you have tried.

# %% tags=["solution"]
# Solution 1
# Margins: New 4/5, Los 1/5; York 3/5, Orleans 1/5, Angeles 1/5.
cells = {(0, 0): Fraction(3, 5), (0, 1): Fraction(1, 5), (1, 2): Fraction(1, 5)}
rows = [sum(v for (i, _), v in cells.items() if i == k) for k in range(2)]
columns = [sum(v for (_, j), v in cells.items() if j == k) for k in range(3)]
wrong = 1 - sum(rows[i] * columns[j] for i, j in cells)
print("1. not in the data:", wrong)
assert wrong == Fraction(4, 5) * Fraction(1, 5) + Fraction(1, 5) * Fraction(4, 5) == Fraction(8, 25)

# %% tags=["solution"]
# Solution 2
# Every city has 1/4 in the data. "City" ends two of them, "New" begins two of them.
cities = gallery.cities(exact=True)
q = output_distribution(cities, policies.RandomOrder((2,)))
for city in ((0, 3), (0, 4), (1, 5), (2, 5)):
    print("2.", cities.spell([city])[0], q.table[city])
    assert q.table[city] == Fraction(1, 8)
print("   all of them too rarely; the other half is", cities.spell([[0, 5], [1, 3], [2, 4]]), "...")
assert q.valid_mass == Fraction(1, 2)
assert q.table[0, 5] == Fraction(1, 4)


# %% tags=["solution"]
# Solution 3
# The ends of the segment lose most: one of them more than the other.
def with_margins(a, b, both):
    """The table in which word 0 is followed by word 0 with probability `both`."""
    return JointTable([[both, a - both], [b - both, 1 - a - b + both]], exact=True)


a, b = Fraction(7, 10), Fraction(2, 5)
ends = {both: with_margins(a, b, both) for both in (a + b - 1, b)}  # as small, as large as can be
lost = {both: float(information.total_correlation(t, base=2)) for both, t in ends.items()}
print("3. both words 0 with probability:", {str(k): round(v, 3) for k, v in lost.items()}, "bits")
for k in range(11, 40):  # nothing between the ends loses more
    between = information.total_correlation(with_margins(a, b, Fraction(k, 100)), base=2)
    assert float(between) < max(lost.values())
assert information.total_correlation(with_margins(a, b, a * b)) == 0  # the independent words
assert max(lost, key=lost.__getitem__) == Fraction(1, 10)

# %% [markdown] tags=["solution"]
# **Solution 4**
#
# No. The answer is right, and a product of two answers has no place for "New goes with York".
# One can ask again after each word (slow); write words at once only where they are nearly
# independent given what is known (lesson 3); or draw both words from a law that knows more than
# the margins (claim [E5](../paper_notes.md#the-claims)).
